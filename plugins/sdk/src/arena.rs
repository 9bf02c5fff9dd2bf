//! The allocator of a plugin: the ordinary heap while it configures, one stretch of memory for everything an event needs.
//!
//! Every event starts from a snapshot, and the host copies each page that an event wrote back to what it was. Reading a config
//! leaves holes all over the heap, and an event that fills them writes to dozens of pages; an event that writes into one stretch,
//! from its beginning, writes to a few. When nothing of an event is left, the stretch is empty again, so that a reused instance
//! starts over too. What does not fit goes to the ordinary heap. Installed by [`crate::plugin!`]; wasm has one thread.
#![expect(unsafe_code, reason = "an allocator hands out raw memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Size of the stretch, bytes: several times what the bundled rules need for a usual post; longer ones overflow into the heap.
const STRETCH: usize = 192 * 1024;
/// Alignment of the stretch: that of the largest type a rule allocates.
const ALIGN: usize = 16;

/// The allocator; a plugin has one.
pub struct Arena {
    /// First byte of the stretch; 0 until it is opened.
    start: Cell<usize>,
    /// First free byte.
    next: Cell<usize>,
    /// One past the last byte.
    end: Cell<usize>,
    /// Allocations of the stretch that are not freed yet.
    live: Cell<usize>,
}

// SAFETY: a plugin's wasm has one thread: the threads proposal is switched off in the host.
unsafe impl Sync for Arena {}

impl Arena {
    /// An allocator that is the ordinary heap, until it is opened.
    #[expect(clippy::new_without_default, reason = "made in a static")]
    pub const fn new() -> Self {
        Self { start: Cell::new(0), next: Cell::new(0), end: Cell::new(0), live: Cell::new(0) }
    }

    /// From now on, what is allocated comes from the stretch. Called at the end of `configure`.
    pub fn open(&self) {
        if let (0, Ok(layout)) = (self.start.get(), Layout::from_size_align(STRETCH, ALIGN)) {
            // SAFETY: the layout has a size; the stretch is never given back.
            let start = unsafe { System.alloc(layout) } as usize;
            if start != 0 {
                self.start.set(start);
                self.next.set(start);
                self.end.set(start + STRETCH);
            }
        }
    }

    fn holds(&self, at: usize) -> bool {
        at >= self.start.get() && at < self.end.get()
    }
}

// SAFETY: memory comes from the ordinary heap, or from a stretch of it that nobody else has; a block of the stretch is handed out
// once, since `next` only falls back when the blocks above it are freed.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let at = (self.next.get() + layout.align() - 1) & !(layout.align() - 1);
        match at.checked_add(layout.size()) {
            Some(after) if self.start.get() != 0 && after <= self.end.get() => {
                self.next.set(after);
                self.live.set(self.live.get() + 1);
                at as *mut u8
            }
            // SAFETY: the caller keeps the contract of `alloc`.
            _ => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let at = block as usize;
        if !self.holds(at) {
            // SAFETY: what is not of the stretch came from the ordinary heap.
            return unsafe { System.dealloc(block, layout) };
        }
        self.live.set(self.live.get() - 1);
        if self.live.get() == 0 {
            self.next.set(self.start.get());
        } else if at + layout.size() == self.next.get() {
            self.next.set(at);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let at = block as usize;
        if !self.holds(at) {
            // SAFETY: what is not of the stretch came from the ordinary heap.
            return unsafe { System.realloc(block, layout, size) };
        }
        // The last block grows and shrinks where it is, which is what a growing list mostly is.
        if at + layout.size() == self.next.get() && at.checked_add(size).is_some_and(|after| after <= self.end.get()) {
            self.next.set(at + size);
            return block;
        }
        // SAFETY: the caller promises that `size`, rounded up to the alignment, fits.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: both blocks have at least this many bytes, and are not the same.
            unsafe {
                std::ptr::copy_nonoverlapping(block, new, size.min(layout.size()));
                self.dealloc(block, layout);
            }
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// # Safety
    /// For tests alone: sizes are small and not zero.
    unsafe fn block(arena: &Arena, size: usize) -> (*mut u8, Layout) {
        let layout = Layout::from_size_align(size, 8).unwrap();
        // SAFETY: the size is not zero.
        (unsafe { arena.alloc(layout) }, layout)
    }

    #[test]
    fn the_stretch_is_used_again_when_nothing_is_left_of_an_event() {
        let arena = Arena::new();
        arena.open();
        // SAFETY: every block is freed once, with its own layout.
        unsafe {
            let (a, layout_a) = block(&arena, 100);
            let (b, layout_b) = block(&arena, 50);
            arena.dealloc(a, layout_a);
            let (c, layout_c) = block(&arena, 10);
            assert!(c > b, "a hole is not filled while others live");
            arena.dealloc(c, layout_c);
            arena.dealloc(b, layout_b);
            let (again, layout) = block(&arena, 100);
            assert_eq!(again, a);
            arena.dealloc(again, layout);
        }
    }

    #[test]
    fn the_last_block_grows_where_it_is_and_others_move() {
        let arena = Arena::new();
        arena.open();
        // SAFETY: as above.
        unsafe {
            let (a, layout_a) = block(&arena, 16);
            a.write_bytes(7, 16);
            let grown = arena.realloc(a, layout_a, 64);
            assert_eq!(grown, a);
            let (b, layout_b) = block(&arena, 8);
            let layout = Layout::from_size_align(64, 8).unwrap();
            let moved = arena.realloc(grown, layout, 128);
            assert!(moved > b && *moved == 7 && *moved.add(15) == 7);
            arena.dealloc(b, layout_b);
            arena.dealloc(moved, Layout::from_size_align(128, 8).unwrap());
        }
    }

    #[test]
    fn what_does_not_fit_goes_to_the_heap_and_back() {
        let arena = Arena::new();
        arena.open();
        // SAFETY: as above.
        unsafe {
            let (large, layout) = block(&arena, STRETCH + 1);
            assert!(!arena.holds(large as usize));
            arena.dealloc(large, layout);
        }
        assert_eq!(arena.live.get(), 0);
    }
}
