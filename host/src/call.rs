//! What the listeners know of a call beyond its bytes: who is at the other end, and what the answer will be known by.
//!
//! Put into every request by `server.rs`, read by whoever needs it. It must never hold what the caller says of itself.

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub std::net::SocketAddr);

/// The id of the request, in its answer, in the log and in the audit log.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);
