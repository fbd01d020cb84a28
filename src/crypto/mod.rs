//! The one door to ring.
