//! May you?
