//! Random policies as text: mostly of fitting types, and now and then not.

use portcullis_differential::Choices;

use crate::world::{DECIMALS, ENTITIES, IPS, MOMENTS, NAMES, SPANS};

pub(crate) fn text(choices: &mut Choices) -> String {
    (0..=choices.below(6)).map(|_| policy(choices)).collect()
}

fn policy(choices: &mut Choices) -> String {
    let annotation = choices.pick(&["", "", "@note\n", "@note(\"\\u{e9}\\n\")\n@if(\"x\")\n"]);
    let effect = choices.pick(&["permit", "permit", "forbid"]);
    let principal = scope(choices);
    let action = choices.pick(&[
        "",
        "",
        " == Action::\"read\"",
        " in Action::\"any\"",
        " in [Action::\"change\", Action::\"read\",]",
        " in []",
    ]);
    let resource = scope(choices);
    let mut text =
        format!("{annotation}{effect} (principal{principal}, action{action}, resource{resource})");
    for _ in 0..choices.below(3) {
        let word = choices.pick(&["when", "when", "unless"]);
        text.push_str(&format!("\n{word} {{ {} }}", of(choices, Kind::Bool, 3)));
    }
    text + ";\n"
}

fn scope(choices: &mut Choices) -> String {
    let kind = choices.pick(&["User", "NS::Team", "Doc"]);
    match choices.below(8) {
        0 => format!(" == {}", entity(choices)),
        1 => format!(" in {}", entity(choices)),
        2 => format!(" is {kind}"),
        3 => format!(" is {kind} in {}", entity(choices)),
        _ => String::new(),
    }
}

fn entity(choices: &mut Choices) -> String {
    let (kind, id) = choices.pick(&ENTITIES);
    format!("{kind}::\"{}\"", id.escape_debug())
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Bool,
    Long,
    Str,
    Entity,
    Set,
    Record,
    Ip,
    Decimal,
    Moment,
    Span,
}

const KINDS: [Kind; 10] = [
    Kind::Bool,
    Kind::Long,
    Kind::Str,
    Kind::Entity,
    Kind::Set,
    Kind::Record,
    Kind::Ip,
    Kind::Decimal,
    Kind::Moment,
    Kind::Span,
];

fn of(choices: &mut Choices, kind: Kind, depth: usize) -> String {
    let kind = if choices.chance(4) { choices.pick(&KINDS) } else { kind };
    if depth > 0 && choices.chance(6) {
        let (condition, one) = (of(choices, Kind::Bool, depth - 1), of(choices, kind, depth - 1));
        return format!("(if {condition} then {one} else {})", of(choices, kind, depth - 1));
    }
    if depth == 0 || kind != Kind::Bool && choices.chance(40) {
        return if choices.chance(50) { read(choices, kind) } else { literal(choices, kind) };
    }
    let depth = depth.saturating_sub(1);
    if kind == Kind::Bool {
        return condition(choices, depth);
    }
    let mut sub = |kind| of(choices, kind, depth);
    match kind {
        Kind::Bool | Kind::Str | Kind::Entity => read(choices, kind),
        Kind::Long => {
            let (one, other) = (sub(Kind::Long), sub(Kind::Long));
            let span = sub(Kind::Span);
            match choices.below(6) {
                0 => format!("({one} + {other})"),
                1 => format!("({one} - {other} * 2)"),
                2 => format!("({one} * {other})"),
                3 => format!("-{one}"),
                4 => format!("{span}.toMilliseconds()"),
                _ => format!(
                    "{span}.{}()",
                    choices.pick(&["toSeconds", "toMinutes", "toHours", "toDays"])
                ),
            }
        }
        Kind::Set => {
            let count = choices.below(4);
            let parts: Vec<_> = (0..count).map(|_| any(choices, depth)).collect();
            format!("[{}]", parts.join(", "))
        }
        Kind::Record => {
            let (one, other) = (any(choices, depth), any(choices, depth));
            format!("{{n: {one}, \"a b\": {other}}}")
        }
        Kind::Ip => format!("ip({})", sub(Kind::Str)),
        Kind::Decimal => format!("decimal({})", sub(Kind::Str)),
        Kind::Moment => {
            let (at, span) = (sub(Kind::Moment), sub(Kind::Span));
            if choices.chance(50) {
                format!("{at}.offset({span})")
            } else {
                format!("{at}.toDate()")
            }
        }
        Kind::Span => {
            let (at, since) = (sub(Kind::Moment), sub(Kind::Moment));
            if choices.chance(50) {
                format!("{at}.durationSince({since})")
            } else {
                format!("{at}.toTime()")
            }
        }
    }
}

fn any(choices: &mut Choices, depth: usize) -> String {
    let kind = choices.pick(&KINDS);
    of(choices, kind, depth)
}

fn condition(choices: &mut Choices, depth: usize) -> String {
    let kind = choices.pick(&KINDS);
    let name = name(choices);
    let question = choices.below(26);
    let pattern = choices.pick(&["*", "a*", "*b", "a\\*b", "\\u{e9}", "\\x2a", ""]);
    let mut sub = |kind| of(choices, kind, depth);
    match question {
        0 => sub(Kind::Bool),
        1 => format!("({} && {})", sub(Kind::Bool), sub(Kind::Bool)),
        2 => format!("({} || {} || true)", sub(Kind::Bool), sub(Kind::Bool)),
        // In brackets, because `!-1` is none of the language.
        3 => format!("(!({}))", sub(Kind::Bool)),
        4 | 5 => format!("({} == {})", sub(kind), sub(kind)),
        6 => format!("({} != {})", sub(kind), sub(kind)),
        7 => format!("({} < {})", sub(Kind::Long), sub(Kind::Long)),
        8 => format!("({} >= {})", sub(Kind::Moment), sub(Kind::Moment)),
        9 => format!("({} <= {})", sub(Kind::Span), sub(Kind::Span)),
        10 | 11 => format!("({} in {})", sub(Kind::Entity), sub(Kind::Entity)),
        12 => format!("({} in [{}, {}])", sub(Kind::Entity), sub(Kind::Entity), sub(Kind::Entity)),
        13 => format!("({} in {})", sub(Kind::Entity), sub(Kind::Set)),
        14 => format!("({} is User)", sub(Kind::Entity)),
        15 => format!("({} is NS::Team in {})", sub(Kind::Entity), sub(Kind::Entity)),
        16 => {
            format!("({} like \"{pattern}\")", of(choices, Kind::Str, depth))
        }
        17 => {
            let owner = if choices.chance(50) { Kind::Entity } else { Kind::Record };
            format!("({} has \"{name}\")", of(choices, owner, depth))
        }
        18 => {
            let path = choices.pick(&["rec.n", "own.n", "rec.rec", "n.m", "own.own.flag"]);
            format!("({} has {path})", of(choices, Kind::Entity, depth))
        }
        19 => format!("{}.contains({})", sub(Kind::Set), sub(kind)),
        20 => {
            let how = choices.pick(&["containsAll", "containsAny"]);
            let (one, other) = (of(choices, Kind::Set, depth), of(choices, Kind::Set, depth));
            format!("{one}.{how}({other})")
        }
        21 => format!("{}.isEmpty()", sub(Kind::Set)),
        22 => {
            let (one, other) = (of(choices, Kind::Ip, depth), of(choices, Kind::Ip, depth));
            match choices.below(5) {
                0 => format!("{one}.isIpv4()"),
                1 => format!("{one}.isIpv6()"),
                2 => format!("{one}.isLoopback()"),
                3 => format!("{one}.isMulticast()"),
                _ => format!("{one}.isInRange({other})"),
            }
        }
        23 => {
            let how =
                choices.pick(&["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"]);
            let (one, other) =
                (of(choices, Kind::Decimal, depth), of(choices, Kind::Decimal, depth));
            format!("{one}.{how}({other})")
        }
        24 => {
            let tag = if choices.chance(70) {
                format!("\"{name}\"")
            } else {
                of(choices, Kind::Str, depth)
            };
            format!("{}.hasTag({tag})", of(choices, Kind::Entity, depth))
        }
        _ => read(choices, Kind::Bool),
    }
}

fn name(choices: &mut Choices) -> &'static str {
    choices.pick(&NAMES)
}

/// An attribute, a field or a tag that is usually of that type.
fn read(choices: &mut Choices, kind: Kind) -> String {
    let name = match kind {
        Kind::Bool => "flag",
        Kind::Long => choices.pick(&["n", "m"]),
        Kind::Str => "s",
        Kind::Entity => "own",
        Kind::Set => "set",
        Kind::Record => "rec",
        Kind::Ip => "ip",
        Kind::Decimal => "a b",
        Kind::Moment => "at",
        Kind::Span => "span",
    };
    if kind == Kind::Record && choices.chance(20) {
        return "context".into();
    }
    let entity = choices.pick(&["principal", "resource", "principal.own", "User::\"a\"", "action"]);
    if kind == Kind::Entity && choices.chance(60) {
        return entity.into();
    }
    match choices.below(6) {
        0 => format!("context[\"{name}\"]"),
        1 => format!("{entity}.getTag(\"{name}\")"),
        2 => format!("{{zz: 1, \"{name}\": context[\"{name}\"]}}[\"{name}\"]"),
        _ => format!("{entity}[\"{name}\"]"),
    }
}

fn literal(choices: &mut Choices, kind: Kind) -> String {
    match kind {
        Kind::Bool => choices.pick(&["true", "false"]).into(),
        Kind::Long => choices
            .pick(&["0", "1", "(-1)", "2", "9223372036854775807", "(-9223372036854775808)"])
            .into(),
        Kind::Str => {
            choices.pick(&["\"\"", "\"a\"", "\"ab\"", "\"a*b\"", "\"10.0.0.7\"", "\"1.5\""]).into()
        }
        Kind::Entity => entity(choices),
        Kind::Set => choices
            .pick(&["[]", "[1]", "[1, \"a\", 1]", "[[1], {n: 1}]", "[User::\"a\", Doc::\"1\"]"])
            .into(),
        Kind::Record => choices.pick(&["{}", "{n: 1}", "{\"a b\": [1], n: 2}"]).into(),
        Kind::Ip => format!("ip(\"{}\")", choices.pick(&IPS)),
        Kind::Decimal => format!("decimal(\"{}\")", choices.pick(&DECIMALS)),
        Kind::Moment => format!("datetime(\"{}\")", choices.pick(&MOMENTS)),
        Kind::Span => format!("duration(\"{}\")", choices.pick(&SPANS)),
    }
}
