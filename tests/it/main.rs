//! Promises held over the public interface; one module each.

mod policies;
