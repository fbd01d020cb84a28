use proptest::prelude::*;

use super::*;
use crate::authz::tests::world::conditions;

/// The tree without its places.
fn shape(expr: &Expr) -> String {
    let text = format!("{expr:?}");
    let mut parts = text.split(", at: ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shape, part| shape + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[test]
fn reads() {
    let check = |text: &str, expected: &str| {
        assert_eq!(parse(text).map(|expr| expr.to_string()), Ok(expected.to_owned()), "{text}");
    };
    check("true", "true");
    check("resource.owner==principal", "resource.owner == principal");
    check("resource . a . b > -3", "resource.a.b > -3");
    check(
        "-9223372036854775808 < 9223372036854775807",
        "-9223372036854775808 < 9223372036854775807",
    );
    check("a_1::\"x\" in resource", "a_1::\"x\" in resource");
    // `&&` binds tighter than `||`, `!` tighter than any comparison.
    check("true || false && !context.x", "true || (false && !context.x)");
    check("!context.x == true", "(!context.x) == true");
    check("(true || false) && (true)", "(true || false) && true");
    check("true && (true && false)", "true && (true && false)");
    check(
        "context has tenant && context.tenant != \"a\"",
        "context has tenant && context.tenant != \"a\"",
    );
    check(
        "context.client.isInRange(ip(\"10.0.0.0/8\"))",
        "context.client.isInRange(ip(\"10.0.0.0/8\"))",
    );
    // An IPv4-mapped range is the range that it carries.
    check("context.client == ip(\"::ffff:10.0.0.7\")", "context.client == ip(\"10.0.0.7\")");
    check("context.x == ip(\"::ffff:10.0.0.0/104\")", "context.x == ip(\"10.0.0.0/8\")");
    check("context.x == ip(\"::ffff:0.0.0.0/96\")", "context.x == ip(\"0.0.0.0/0\")");
    check("context.x == ip(\"::/0\")", "context.x == ip(\"::/0\")");
    check(
        "principal in Role::\"clerk\" // a role\n && true",
        "principal in Role::\"clerk\" && true",
    );
    check(r#"context.x == "\n\t\\\"\x41\u{e9}\0'""#, r#"context.x == "\n\t\\\"Aé\0\'""#);
}

#[test]
fn refuses() {
    let check = |text: &str, at: usize, expected: &str| {
        let error = parse(text).expect_err(text);
        assert_eq!((error.at, &*error.message), (at, expected), "{text}");
    };
    check("", 0, "expected a value, a variable or `(`, found the end");
    check("true false", 5, "expected an operator or the end, found `false`");
    check("resource.owner = principal", 15, "unexpected `=`; equality is `==`");
    check("true & true", 5, "unexpected `&`; and is `&&`");
    check("context.x == 'a'", 13, "unexpected `'`; text is in double quotes");
    check("1 == 1 == 1", 7, "expected an operator or the end, found `==`");
    check("principle == resource", 0, "no variable `principle`; did you mean `principal`?");
    check("user == resource", 0, "no variable `user`");
    check("if true then true else true", 0, "`if` is not supported");
    check(
        "action == \"x\"",
        0,
        "`action` is no variable here; a rule's actions are its field `actions`",
    );
    check(
        "context.client.isInRnge(ip(\"::1\"))",
        15,
        "no method `isInRnge`; did you mean `isInRange`?",
    );
    check("context.tags.contains(\"a\")", 13, "no method `contains`");
    check(
        "User::\"a\".name",
        10,
        "only `principal`, `resource` and `context` have attributes here",
    );
    check("true has x", 5, "only `principal`, `resource` and `context` have attributes here");
    check("context has \"x\"", 12, "expected the name of an attribute, found text");
    check("context.in", 8, "expected the name of an attribute, found `in`");
    check("User::alice", 6, "expected the entity's id in quotes, found `alice`");
    check("9223372036854775808", 0, "`9223372036854775808` is no long");
    check("12ab", 0, "`12ab` is no long");
    check("context.x == \"a", 13, "text without a closing `\"`");
    check(r#"context.x == "a\q""#, 15, "no such escape");
    check(r#"context.x == "\u{d800}""#, 14, "no such escape");
    check(r#"context.x == "\u{+41}""#, 14, "no such escape");
    check("(true", 5, "expected `)`, found the end");
    check("true # x", 5, "unexpected `#`");
    check(
        "context.x == ip(\"10.0.0.0/33\")",
        16,
        "`10.0.0.0/33` is no address or range such as `10.0.0.7` or `10.0.0.0/8`",
    );
    check(
        "context.x == ip(\"::ffff:10.0.0.0/95\")",
        16,
        "`::ffff:10.0.0.0/95` is wider than the IPv4-mapped addresses, `::ffff:0.0.0.0/96`; \
         write one range for IPv4 and one for IPv6",
    );
}

#[test]
fn a_bomb_of_parentheses_or_negations_is_refused() {
    let check = |opening: &str, closing: &str, count: usize, expected: bool| {
        let text = format!("{}true{}", opening.repeat(count), closing.repeat(count));
        assert_eq!(parse(&text).is_ok(), expected, "{opening} {count}");
    };
    check("(", ")", 64, true);
    check("(", ")", 65, false);
    check("!", "", 64, true);
    check("!", "", 65, false);
    check("!(", ")", 4000, false);
    check("(", "", 8000, false);
    assert!(parse(&format!("resource{}", ".a".repeat(64))).is_ok());
    assert!(parse(&format!("resource{}", ".a".repeat(65))).is_err());
    assert!(parse(&format!("true{}", " ".repeat(8192))).is_err());
    assert!(parse(&"true&&".repeat(1365)).is_err());
    assert!(parse(&format!("true{}", "&&true".repeat(1300))).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn any_words_are_read_or_refused_within_the_text(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "principal", "resource", "context", ".", "a", "has", "in", "==", "!=", "<", "<=",
                "&&", "||", "!", "(", ")", "-", "1", "true", "\"x\"", "User", "::", "ip",
                "isInRange", "\"10.0.0.0/8\"", "é", "\\",
            ]),
            0..40,
        )
    ) {
        let text = words.join(" ");
        match parse(&text) {
            Ok(expr) => prop_assert!(parse(&expr.to_string()).is_ok(), "{} as {}", text, expr),
            Err(error) => prop_assert!(text.get(..error.at).is_some()),
        }
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same(expr in conditions()) {
        let printed = expr.to_string();
        let read = parse(&printed).map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        prop_assert_eq!(shape(&read), shape(&expr), "{}", printed);
    }

    #[test]
    fn any_quoted_text_reads_back(text in any::<String>()) {
        let printed = Quoted(&text).to_string();
        prop_assume!(printed.len() < 8000);
        let read = parse(&printed).map(|expr| expr.kind);
        prop_assert!(matches!(read, Ok(Kind::Literal(Literal::Str(read))) if *read == *text));
    }
}
