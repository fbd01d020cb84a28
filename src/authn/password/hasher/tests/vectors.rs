//! Known answers: those of the reference implementation's own test (`src/test.c` of
//! P-H-C/phc-winner-argon2), and of the `argon2` crate's tests.

use super::*;

/// Cheap enough for every run. For "password", as all are that say nothing else.
const CHEAP: [&str; 6] = [
    "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
    "$argon2i$m=256,t=2,p=2$c29tZXNhbHQ$tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs",
    "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
    "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$T/XOJ2mh1/TIpJHfCdQan76Q5esCFVoT5MAeIM1Oq2E",
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
];

/// 64 MiB each.
const DEAR: [(&str, &str); 16] = [
    (
        "password",
        "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
    ),
    (
        "password",
        "$argon2i$m=65536,t=1,p=1$c29tZXNhbHQ$gWMFUrjzsfSM2xmSxMZ4ZD1JCytetP9sSzQ4tWIXJLI",
    ),
    (
        "password",
        "$argon2i$m=65536,t=4,p=1$c29tZXNhbHQ$8hLwFhXm6110c03D70Ct4tUdBSRo2MaUQKOh8sHChHs",
    ),
    (
        "differentpassword",
        "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$6ckCB0tnVFMaOgvlGeW69ASzDOabPwGsO/ISKZYBCaM",
    ),
    (
        "password",
        "$argon2i$m=65536,t=2,p=1$ZGlmZnNhbHQ$eaEDuQ/orvhXDLMfyLIiWXeJFvgza3vaw4kladTxxJc",
    ),
    (
        "password",
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
    ),
    (
        "password",
        "$argon2i$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$0WgHXE2YXhPr6uVgz4uUw7XYoWxRkWtvSsLaOsEbvs8",
    ),
    (
        "password",
        "$argon2i$v=19$m=65536,t=4,p=1$c29tZXNhbHQ$qqlT1YrzcGzj3xrv1KZKhOMdf1QXUjHxKFJZ+IF0zls",
    ),
    (
        "differentpassword",
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$FK6NoBr+qHAMI1jc73xTWNkCEoK9iGY6RWL1n7dNIu4",
    ),
    (
        "password",
        "$argon2i$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$sDV8zPvvkfOGCw26RHsjSMvv7K2vmQq/6cxAcmxSEnE",
    ),
    (
        "password",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ),
    (
        "password",
        "$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg",
    ),
    (
        "password",
        "$argon2id$v=19$m=65536,t=4,p=1$c29tZXNhbHQ$kCXUjmjvc5XMqQedpMTsOv+zyJEf5PhtGiUghW9jFyw",
    ),
    (
        "differentpassword",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94",
    ),
    (
        "password",
        "$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw",
    ),
    (
        "password",
        "$argon2d$v=19$m=65536,t=2,p=1$YzI5dFpYTmhiSFFBQUFBQUFBQUFBQQ$Jxy74cswY2mq9y+u+iJcJy8EqOp4t/C7DWDzGwGB3IM",
    ),
];

/// 256 MiB and 1 GiB, which nobody runs who has not said so.
const TOO_DEAR: [&str; 5] = [
    "$argon2i$m=262144,t=2,p=1$c29tZXNhbHQ$Pmiaqj0op3zyvHKlGsUxZnYXURgvHuKS4/Z3p9pMJGc",
    "$argon2i$m=1048576,t=2,p=1$c29tZXNhbHQ$lpDsVdKNPtMlYvLnPqYrArAYdXZDoq5ueVKEWd6BBuk",
    "$argon2i$v=19$m=262144,t=2,p=1$c29tZXNhbHQ$KW266AuAfNzqrUSudBtQbxTbCVkmexg7EY+bJCKbx8s",
    "$argon2i$v=19$m=1048576,t=2,p=1$c29tZXNhbHQ$0Vh6ygkiw7XWqD7asxvuPE667zQu1hJ6VdGbI1GtH0E",
    "$argon2id$v=19$m=262144,t=2,p=1$c29tZXNhbHQ$eP4eyR+zqlZX1y5xCFTkw9m5GYx0L5YWwvCFvtlbLow",
];

fn up_to(memory_kib: u32, passes: u32) -> Hasher {
    let stored = Cost::insecure_new(memory_kib, passes, 1).unwrap();
    Hasher::with_threads(1).cost(cheap()).stored_up_to(stored).start().unwrap()
}

#[test]
fn the_reference_hashes_verify() {
    let hasher = up_to(256, 2);
    for stored in CHEAP {
        assert!(check(&hasher, "password", Some(stored)).0.is_ok(), "{stored}");
        for wrong in ["passwore", "sassword", "Password", "password ", "password\0", ""] {
            let (wrong, _) = check(&hasher, wrong, Some(stored));
            assert_eq!(wrong.unwrap_err().detail(), "the password is wrong", "{stored}");
        }
    }
    let hasher = up_to(65_536, 4);
    for (password, stored) in DEAR {
        assert!(check(&hasher, password, Some(stored)).0.is_ok(), "{stored}");
    }
    // For another salt, as the reference has it.
    let other = "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$b2G3seW+uPzerwQQC+/E1K50CLLO7YXy0JRcaTuswRo";
    let (wrong, _) = check(&hasher, "password", Some(other));
    assert_eq!(wrong.unwrap_err().detail(), "the password is wrong");
}

#[test]
fn the_reference_hashes_are_read_and_written_alike() {
    let dear = DEAR.iter().map(|(_, stored)| *stored);
    for stored in CHEAP.into_iter().chain(dear).chain(TOO_DEAR) {
        let written = Phc::parse(stored).unwrap().to_string();
        // The first edition of the format had no version.
        let stored = stored.replace("$m=", "$v=16$m=").replace("$v=19$v=16$", "$v=19$");
        assert_eq!(written, stored);
    }
}

#[test]
fn attack_reference_hashes_that_are_too_dear_are_refused_before_they_are_run() {
    let hasher = hasher();
    let dear = DEAR.iter().map(|(_, stored)| *stored);
    for stored in TOO_DEAR.into_iter().chain(dear) {
        let (refused, work) = weigh(&hasher, "password", Some(stored));
        assert_eq!(refused.unwrap_err().detail(), "the stored hash cannot be used", "{stored}");
        assert_eq!(work, cheap().work(), "{stored}");
    }
}

#[test]
fn what_the_reference_tests_refuse_is_refused() {
    const HASH: &str = "9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ";
    let hasher = hasher();
    for head in [
        // A `$` too few, on either side of the salt; no salt at all.
        "$argon2i$m=65536,t=2,p=1c29tZXNhbHQ$",
        "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ",
        "$argon2i$m=65536,t=2,p=1$$",
        "$argon2i$v=42$m=64,t=2,p=1$c29tZXNhbHQ$",
        "$argon2i$m=dummy,t=2,p=1$c29tZXNhbHQ$",
        "$argon2i$m=0,t=2,p=1$c29tZXNhbHQ$",
        "$argon2i$m=4294967296,t=2,p=1$c29tZXNhbHQ$",
        "$argon2i$m=64,t=dummy,p=1$c29tZXNhbHQ$",
        "$argon2i$m=64,t=0,p=1$c29tZXNhbHQ$",
        "$argon2i$m=64,t=4294967296,p=1$c29tZXNhbHQ$",
        "$argon2i$m=64,t=2,p=dummy$c29tZXNhbHQ$",
        "$argon2i$m=64,t=2,p=0$c29tZXNhbHQ$",
        "$argon2i$m=64,t=2,p=256$c29tZXNhbHQ$",
        // Keys and data besides the password, and numbers in another order, are not taken here.
        "$argon2i$m=64,t=2,p=1,keyid=8PDw8A$c29tZXNhbHQ$",
        "$argon2i$m=64,t=2,p=1,data=Dw8PDw8P$c29tZXNhbHQ$",
        "$argon2i$p=2,m=64,t=2$c29tZXNhbHQ$",
        "$argon2i$m=64,t=2$c29tZXNhbHQ$",
    ] {
        let stored = format!("{head}{HASH}");
        let (refused, hashes) = check(&hasher, "password", Some(&stored));
        let refused = refused.unwrap_err().detail();
        assert_eq!((refused, hashes), ("the stored hash cannot be used", 1), "{stored}");
    }
}
