//! Which operators take which types.

use std::collections::BTreeSet;

use super::{
    super::{
        TypeName,
        load::{
            check::Checker,
            expr::{Expr, Kind, Literal, Path, Root},
        },
        names::Names,
        schema::Ty,
    },
    documents::condition,
    world::schema,
};

#[test]
fn operators_that_load() {
    for when in [
        "resource.tags == resource.tags && [] == resource.tags && resource.tags != [\"a\"]",
        "resource.tags.contains(\"a\") || resource.tags.containsAny([\"a\"])",
        "[\"a\", \"b\"].containsAll(resource.tags) && !resource.tags.isEmpty()",
        "[principal, User::\"s/a\", resource.owner].contains(resource.owner)",
        "[[1], []].contains([resource.total]) && [{a: 1}] == [{a: resource.total}]",
        "{a: resource.total, b: resource.tags}.a > 1 && !({a: 1} has b)",
        "(if context.secure then resource.tags else []).contains(\"a\")",
        "(if context.secure then resource.owner else User::\"s/a\") == principal",
        "(if context has tenant then context.tenant else \"none\") like \"n*\"",
        "if context has tenant then context.tenant == \"a\" else false",
        "(if context has tenant then true else false) || true",
        "if resource has placed && context.secure then resource.placed == resource.placed else true",
        "resource.total * 2 + 1 - -3 < -resource.total",
        "principal is User && principal is Service || principal is User in Shop::\"a\"",
        "principal in [Role::\"clerk\", Shop::\"a\"] && principal in []",
        "(if context.secure then resource else resource) has placed",
        "resource has in_shop.region && resource.in_shop.region == \"n\"",
        "context[\"secure\"] && context has \"tenant\" && context[\"tenant\"] == \"a\"",
        // What types rule out is never reached.
        "resource is Shop && resource.keeper == principal",
        "resource is Order || resource.keeper == principal",
        "!(resource is Shop) || resource.keeper == principal",
        "if resource is Shop then resource.keeper == principal else resource.total > 1",
        "(if resource is Shop then resource.keeper else resource.owner) == principal",
        "resource is Shop in Shop::\"a\" && resource.keeper == principal",
    ] {
        assert_eq!(condition(when), None, "{when}");
    }
}

#[test]
fn operators_that_do_not_load() {
    let check = |when: &str, column: usize, message: &str| {
        assert_eq!(condition(when), Some((column, message.to_owned())), "{when}");
    };
    check(
        "resource.tags.contains(1)",
        24,
        "`1` is long and `resource.tags` is strings: it holds none of it",
    );
    check(
        "resource.tags.containsAll([1])",
        27,
        "`[1]` is a set of long and `resource.tags` is strings: it holds none of it",
    );
    check("resource.tags.containsAny(\"a\")", 27, "`containsAny` needs two sets, not string");
    check("resource.total.contains(1)", 1, "`contains` needs a set, not long");
    check("resource.total.isEmpty()", 1, "`isEmpty` needs a set, not long");
    check("[1, \"a\"].contains(1)", 5, "`\"a\"` is string in a set of long");
    check("[context].contains(1)", 2, "the context cannot be put into a set or a record");
    check("{a: context} has a", 5, "the context cannot be put into a set or a record");
    check("{aa: 1}.ab == 1", 1, "the record has no `ab`");
    check("{owner: 1}.ownr == 1", 1, "the record has no `ownr`; did you mean `owner`?");
    check(
        "{a: 1} == {a: \"x\"}",
        1,
        "`{a: 1}` is {a: long} and `{a: \"x\"}` is {a: string}: they are never equal",
    );
    check(
        "{a: 1} == {b: 1}",
        1,
        "`{a: 1}` is {a: long} and `{b: 1}` is {b: long}: they are never equal",
    );
    check("{a: 1}", 1, "`{a: 1}` is {a: long}, a condition is bool");
    check(
        "resource.tags == [1]",
        1,
        "`resource.tags` is strings and `[1]` is a set of long: they are never equal",
    );
    check(
        "resource.tags == \"a\"",
        1,
        "`resource.tags` is strings and `\"a\"` is string: they are never equal",
    );
    check("resource.total like \"a\"", 1, "`like` needs string, not long");
    check("resource.total is Order", 1, "`is` needs an entity, not long");
    check("resource is Ordr", 13, "no entity type `Ordr`; did you mean `Order`?");
    check("principal is Role", 14, "no entity type `Role`");
    check("resource.total + \"a\" > 1", 1, "`+` needs two of long, not long and string");
    check("1 * resource.owner > 1", 1, "`*` needs two of long, not long and User");
    check("-resource.owner > 1", 2, "`-` needs long, not User");
    check("resource.total + 1", 1, "`resource.total + 1` is long, a condition is bool");
    check(
        "[resource.total].a == 1",
        18,
        "only `principal`, `resource`, `context` and records have attributes here",
    );
    check("(if true then [1] else [2]).a == 1", 2, "`a` cannot be read of a set of long");
    check("(if true then 1 else \"a\") == 1", 2, "`then` is long and `else` is string");
    check("if 1 then true else false", 4, "`1` is long, a condition is bool");
    check(
        "if true then 1 else 2",
        14,
        "`1` is long, a condition is bool\nrule[0].when (column 21): `2` is long, a condition is bool",
    );
    check("resource in [Shop::\"a\", 1]", 1, "`in` needs two entities, not Order and long");
    check("resource in [[Shop::\"a\"]]", 1, "`in` needs two entities, not Order and a set of Shop");
    check("1 in []", 1, "`in` needs an entity, not long");
    check("resource in [Role::\"clerk\"]", 1, "only `principal` is in a role");
    check("principal in [Role::\"clark\"]", 15, "no role `clark`; did you mean `clerk`?");
    check(
        "(if context.secure then resource.in_shop else resource.in_shop).region == \"n\"",
        2,
        "`region` may be absent: ask for it with `has` before, of a variable\n\
         rule[0].when (column 25): `resource.in_shop` may be absent: ask `resource has in_shop && …` first\n\
         rule[0].when (column 47): `resource.in_shop` may be absent: ask `resource has in_shop && …` first",
    );
    // What is not ruled out by types is checked.
    check(
        "resource is Order && resource.keeper == principal",
        22,
        "`Order` has no attribute `keeper`",
    );
    check(
        "!(resource is Order && resource.keeper == principal)",
        24,
        "`Order` has no attribute `keeper`",
    );
}

#[test]
fn long_values_are_checked_in_one_pass() {
    // Longer than conditions may be: the square of this would take minutes.
    const MANY: usize = 20_000;
    let check = |kind: Kind| {
        let (schema, roles, mut errors) = (schema(), Names::default(), BTreeSet::new());
        let resource = Ty::Entity(TypeName::new("Folder"));
        let mut checker = Checker { schema: &schema, roles: &roles, resource, errors: &mut errors };
        let shape = checker.value(&Expr { kind, at: 0 }, &BTreeSet::new());
        assert!(shape.is_some() && errors.is_empty(), "{errors:?}");
    };
    let part = |kind| Expr { kind, at: 0 };
    let one = || part(Kind::Literal(Literal::Long(1)));
    check(Kind::Path(Path { root: Root::Resource, attributes: vec!["b".into(); MANY] }));
    let fields = (0..MANY).map(|number| (format!("f{number}").into(), one()));
    let record = part(Kind::Record(fields.collect()));
    let empty = (0..MANY).map(|_| part(Kind::Set(Vec::new())));
    check(Kind::Set([part(Kind::Set(vec![record]))].into_iter().chain(empty).collect()));
}
