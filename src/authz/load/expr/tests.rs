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

const OWNERS: &str = "only `principal`, `resource`, `context` and records have attributes here";

#[test]
fn reads_operators() {
    let check = |text: &str, expected: &str| {
        assert_eq!(parse(text).map(|expr| expr.to_string()), Ok(expected.to_owned()), "{text}");
    };
    // `*` binds tighter than `+`, both tighter than comparisons; they lean to the left.
    check("1 + 2 * 3 - 4 > 5", "((1 + (2 * 3)) - 4) > 5");
    check("1 - -2", "1 - -2");
    check("1-2-3 == 0", "((1 - 2) - 3) == 0");
    check("- context.x * -(1) < --2", "((-(context.x)) * (-(1))) < (-(-2))");
    check("1 + 1 in 2", "(1 + 1) in 2");
    check("!context.x && 1 == 2", "!context.x && 1 == 2");
    check(
        "if context.a then 1 else if context.b then 2 else 3",
        "if context.a then 1 else if context.b then 2 else 3",
    );
    check("(if true then true else false) || false", "(if true then true else false) || false");
    check("[1, (2), \"a\"].contains([])", "[1, 2, \"a\"].contains([])");
    check("{\"b\": 1, a: {}}.a.c[\"d\"]", "{a: {}, b: 1}.a.c.d");
    check("context[\"a\"].b", "context.a.b");
    check("context has \"a\"", "context has a");
    check("context has a.\"b\".c", "context has a && context.a has b && context.a.b has c");
    check(
        "resource.g.containsAll([1]) && resource.g.isEmpty()",
        "resource.g.containsAll([1]) && resource.g.isEmpty()",
    );
    check(
        "resource.g.containsAny(if true then [1] else [])",
        "resource.g.containsAny(if true then [1] else [])",
    );
    check(r#"context.x like "*a\*\u{e9}*\n""#, r#"context.x like "*a\*é*\n""#);
    check("principal is User", "principal is User");
    check("principal is User in resource.a || true", "principal is User in resource.a || true");
}

#[test]
fn a_comment_hides_nothing_that_stands_on_a_line_of_its_own() {
    let check = |text: &str| {
        assert_eq!(parse(text).unwrap().to_string(), "true && false", "{text:?}");
    };
    check("true // all\n&& false");
    check("true // all\r\n&& false // end");
    check("true // all\r&& false");
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
    check("true && if true then true else true", 8, "`if` is put in parentheses here");
    check("if true else true", 8, "expected `then`, found `else`");
    check("if true then true", 17, "expected `else`, found the end");
    check("then", 0, "no variable `then`");
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
    check("context.tags.contain(\"a\")", 13, "no method `contain`; did you mean `contains`?");
    check("context.tags.size()", 13, "no method `size`");
    check("context.tags.contains()", 22, "expected a value, a variable or `(`, found `)`");
    check("context.tags.isEmpty(1)", 21, "expected `)`, found `1`");
    check("context.a.contains(1).contains(1)", 22, "`contains` cannot be asked of a bool");
    check("(context.a.isEmpty()).isInRange(1)", 22, "`isInRange` cannot be asked of a bool");
    check("context.a like context.b", 15, "expected a pattern in quotes, found `context`");
    check("context.a like (\"a\")", 15, "expected a pattern in quotes, found `(`");
    check("context.a like \"\\q\"", 16, "no such escape");
    check("context.a == \"\\*\"", 14, "no such escape");
    check("context.a is \"User\"", 13, "expected the name of an entity type, found text");
    check("context.a is User in", 20, "expected a value, a variable or `(`, found the end");
    check("1 in 2 in 3", 7, "expected an operator or the end, found `in`");
    check("1 < 2 < 3", 6, "expected an operator or the end, found `<`");
    check("1 + == 2", 4, "expected a value, a variable or `(`, found `==`");
    check("1 / 2", 2, "unexpected `/`");
    check("[1, 2", 5, "expected `,`, found the end");
    check("[1, 2,]", 6, "expected a value, a variable or `(`, found `]`");
    check("{a: 1, \"a\": 2}", 7, "`a` is there twice");
    check("{if: 1}", 1, "expected the name of an attribute, found `if`");
    check("{\"a b\": 1}", 1, "\"a b\" cannot name an attribute");
    check("{a = 1}", 3, "unexpected `=`; equality is `==`");
    check("context[1]", 8, "expected the name of an attribute in quotes, found `1`");
    check("context[\"in\"]", 8, "\"in\" cannot name an attribute");
    check("{a: 1} has a.b", 7, "only of a variable's attributes is more than one asked for");
    check("[1].a", 4, OWNERS);
    check("User::\"a\".name", 10, OWNERS);
    check("true has x", 5, OWNERS);
    check("context has \"x y\"", 12, "\"x y\" cannot name an attribute");
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
    check("{a:", "}", 65, false);
    check("[", "]", 64, true);
    check("[", "]", 65, false);
    check("if true then true else ", "", 64, true);
    check("if true then true else ", "", 65, false);
    check("if ", " then true else true", 65, false);
    check("-", "", 64, true);
    check("-", "", 65, false);
    check("1+", "", 64, true);
    check("1+", "", 65, false);
    check("1*(1-", "", 4, false);
    check("[].contains(", ")", 64, true);
    check("[].contains(", ")", 65, false);
    check("", ".contains(1)", 3, false);
    assert!(parse(&format!("true{}", " ".repeat(8192))).is_err());
    assert!(parse(&"true&&".repeat(1365)).is_err());
    assert!(parse(&format!("true{}", "&&true".repeat(1300))).is_ok());
}

#[test]
fn a_chain_of_attributes_grows_no_longer_in_parentheses() {
    let check = |text: &str, chain: &str, most: usize| {
        for (count, expected) in [(most, true), (most + 1, false)] {
            let text = text.replace('$', &chain.repeat(count));
            assert_eq!(parse(&text).is_ok(), expected, "{text}");
        }
    };
    check("resource$", ".a", 16);
    check("resource$", "[\"a\"]", 16);
    check("{a: 1}$", ".a", 16);
    check("(if true then context else context)$", ".a", 16);
    check("context has a$", ".a", 16);
    check("context.b.c has a$", ".a", 14);
    check("((resource.a.b).c.d)$", ".a", 12);
    check("({a: 1}.a.b.c)$.d == 1", ".a", 12);
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
                "isInRange", "\"10.0.0.0/8\"", "é", "\\", "if", "then", "else", "like", "is", "[", "]",
                "{", "}", ",", ":", "+", "*", "contains", "containsAll", "isEmpty",
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
