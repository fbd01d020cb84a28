//! The promises of the crate as a whole, one module each, in one binary.

#[cfg(test)]
mod architecture;
