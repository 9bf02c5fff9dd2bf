//! Time as the host wants the run to see it.
//!
//! On wasm it is the host's `clock`; natively the `clock` of the example's `services`, in milliseconds since 1970.

/// The moment of the run: it does not move between two calls.
pub fn now() -> u64 {
    #[cfg(target_arch = "wasm32")]
    {
        crate::services::clock::now()
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        crate::testing::with_services(|services| services.now)
    }
}
