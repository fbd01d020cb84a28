//! Promises held over the public interface; one module each.

#[cfg(all(feature = "jsonwebtoken", feature = "testing"))]
mod jsonwebtoken;
