//! Path templates: `/orders/{id}`, `/admin/{*rest}`.

/// Templates of more segments are refused.
const MAX_SEGMENTS: usize = 32;

/// One segment of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    /// Just this text.
    Literal(&'a str),
    /// Any one segment that is not empty.
    Parameter,
    /// All the rest, which is not empty.
    Rest,
}

/// The segments of a template, or what is wrong with it.
pub(super) fn parse(template: &str) -> Result<Vec<Segment<'_>>, &'static str> {
    let rest = template.strip_prefix('/').ok_or("a template starts with `/`")?;
    let segments: Vec<_> = rest.split('/').map(segment).collect::<Result<_, _>>()?;
    let (_, before) = segments.split_last().ok_or("a template starts with `/`")?;
    if segments.len() > MAX_SEGMENTS {
        return Err("a template has at most 32 segments");
    }
    if before.contains(&Segment::Literal("")) {
        return Err("a segment is empty");
    }
    if before.contains(&Segment::Rest) {
        return Err("`{*rest}` stands at the end");
    }
    Ok(segments)
}

/// One segment as a router spells it.
pub(super) fn segment(text: &str) -> Result<Segment<'_>, &'static str> {
    let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
        return literal(text).map(Segment::Literal);
    };
    let (name, segment) = match name.strip_prefix('*') {
        Some(name) => (name, Segment::Rest),
        None => (name, Segment::Parameter),
    };
    if name.is_empty() || name.contains(['{', '}', '*']) {
        return Err("a parameter is a whole segment such as `{id}` or `{*rest}`");
    }
    Ok(segment)
}

fn literal(text: &str) -> Result<&str, &'static str> {
    if text.contains(['{', '}']) {
        return Err("a parameter is a whole segment such as `{id}` or `{*rest}`");
    }
    if matches!(text, "." | "..") {
        return Err("`.` and `..` are no segments of a path");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte);
    if !text.bytes().all(plain) {
        return Err("a literal segment holds plain path characters, without escapes");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn templates() {
        use Segment::{Literal, Parameter, Rest};
        let check = |template: &str, expected: &[Segment<'_>]| {
            assert_eq!(parse(template).as_deref(), Ok(expected), "{template}");
        };
        check("/", &[Literal("")]);
        check("/orders/{id}", &[Literal("orders"), Parameter]);
        check("/orders/", &[Literal("orders"), Literal("")]);
        check("/{*rest}", &[Rest]);
        check("/@me/{id}/a:b", &[Literal("@me"), Parameter, Literal("a:b")]);
    }

    #[test]
    fn bad_templates() {
        for template in [
            "",
            "orders",
            "//",
            "/a//b",
            "/{*rest}/a",
            "/a{id}",
            "/{}",
            "/{*}",
            "/{a}{b}",
            "/a%20b",
            "/é",
            "/..",
        ] {
            assert!(parse(template).is_err(), "{template}");
        }
        assert!(parse(&"/a".repeat(MAX_SEGMENTS)).is_ok());
        assert!(parse(&"/a".repeat(MAX_SEGMENTS + 1)).is_err());
    }

    proptest! {
        #[test]
        fn what_passes_is_a_path_once_filled(template in "/?[a-b{}*/.%é@]{0,16}") {
            if let Ok(segments) = parse(&template) {
                let fill = |segment: &Segment<'_>| match segment {
                    Segment::Literal(text) => (*text).to_owned(),
                    Segment::Parameter | Segment::Rest => "x".to_owned(),
                };
                let path: Vec<_> = segments.iter().map(fill).collect();
                let path = format!("/{}", path.join("/"));
                prop_assert!(!super::super::is_ambiguous(&path), "{}", path);
            }
        }
    }
}
