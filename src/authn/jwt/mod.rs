//! JSON Web Tokens (RFC 7519) under the rules of RFC 8725.
