//! The table, checked and indexed by path segment.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Line, RouteError, Routes, path,
    template::{self, Segment},
};

/// A table in which every line can stand.
#[derive(Debug)]
pub(in crate::gate) struct Table {
    routes: Routes,
    root: Node,
    /// Literals that could also be written with escapes.
    escapable: BTreeSet<Box<str>>,
}

/// What the table says of a request.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::gate) enum Found {
    /// The line of this number decides.
    Line(usize),
    /// The path could be read as another one.
    Ambiguous,
    /// No line matches.
    Unlisted,
}

#[derive(Debug, Default)]
struct Node {
    literals: BTreeMap<Box<str>, Node>,
    parameter: Option<Box<Node>>,
    rest: Leaf,
    leaf: Leaf,
}

/// The lines of one template, by method; empty where no template ends.
#[derive(Debug, Default)]
struct Leaf(Vec<(Box<str>, usize)>);

impl Table {
    pub(in crate::gate) fn build(routes: &Routes) -> (Self, Vec<RouteError>) {
        let mut table =
            Self { routes: routes.clone(), root: Node::default(), escapable: BTreeSet::new() };
        let stray = routes.stray.then_some(RouteError::HiddenNothing);
        let mut errors: Vec<_> = stray.into_iter().chain(routes.step_up_errors()).collect();
        for (number, line) in routes.lines().iter().enumerate() {
            if let Err(error) = table.insert(number, line) {
                errors.push(error);
            }
        }
        (table, errors)
    }

    pub(in crate::gate) fn routes(&self) -> &Routes {
        &self.routes
    }

    pub(in crate::gate) fn line(&self, number: usize) -> Option<&Line> {
        self.routes.lines.get(number)
    }

    /// The line for a path as received. The caller has refused ambiguous paths before.
    pub(in crate::gate) fn find(&self, method: &str, path: &str) -> Found {
        let Some(rest) = path.strip_prefix('/') else { return Found::Unlisted };
        if !self.escapable.is_empty() && rest.split('/').any(|segment| self.disguised(segment)) {
            return Found::Ambiguous;
        }
        self.root.by_path(Some(rest)).map_or(Found::Unlisted, |leaf| leaf.by_method(method))
    }

    /// The line for the template that the router itself matched.
    pub(in crate::gate) fn find_template(&self, method: &str, template: &str) -> Found {
        let leaf = template.strip_prefix('/').and_then(|rest| self.root.by_template(rest));
        leaf.map_or(Found::Unlisted, |leaf| leaf.by_method(method))
    }

    /// Whether `segment` is a literal of the table written with escapes.
    fn disguised(&self, segment: &str) -> bool {
        path::decoded(segment).is_some_and(|text| self.escapable.contains(text.as_str()))
    }

    fn insert(&mut self, number: usize, line: &Line) -> Result<(), RouteError> {
        let (method, template) = (line.method.clone(), line.template.clone());
        if !is_method(&method) {
            return Err(RouteError::Method { method, template });
        }
        let segments = match template::parse(&line.template) {
            Ok(segments) => segments,
            Err(problem) => return Err(RouteError::Template { method, template, problem }),
        };
        let reserved =
            |text: &str| text.bytes().any(|b| !b.is_ascii_alphanumeric() && !b"-._~".contains(&b));
        for segment in &segments {
            if let Segment::Literal(text) = segment
                && reserved(text)
            {
                self.escapable.insert((*text).into());
            }
        }
        let leaf = self.root.leaf_for(&segments);
        if let Some((_, first)) = leaf.0.iter().find(|(known, _)| **known == *line.method) {
            let Some(first) = self.routes.lines.get_mut(*first) else { return Ok(()) };
            if first.access != line.access {
                let (first, second) = (first.access.clone(), line.access.clone());
                return Err(RouteError::Twice { method, template, first, second });
            }
            if first.step_up != line.step_up {
                let problem = "it stands twice, with and without that step-up";
                return Err(RouteError::StepUp { route: format!("route `{line}`"), problem });
            }
            first.hidden |= line.hidden;
            return Ok(());
        }
        leaf.0.push((line.method.as_str().into(), number));
        Ok(())
    }
}

impl Node {
    fn leaf_for(&mut self, segments: &[Segment<'_>]) -> &mut Leaf {
        match segments.split_first() {
            None => &mut self.leaf,
            Some((Segment::Rest, _)) => &mut self.rest,
            Some((Segment::Parameter, tail)) => {
                self.parameter.get_or_insert_default().leaf_for(tail)
            }
            Some((Segment::Literal(text), tail)) => {
                self.literals.entry((*text).into()).or_default().leaf_for(tail)
            }
        }
    }

    /// Literal before parameter before rest, going back where a choice leads nowhere. Visits no
    /// node twice and goes no deeper than the longest template.
    fn by_path(&self, rest: Option<&str>) -> Option<&Leaf> {
        let Some(rest) = rest else { return self.leaf.known() };
        let (segment, tail) = split(rest);
        let literal = || self.literals.get(segment)?.by_path(tail);
        let parameter = || self.parameter.as_ref().filter(|_| !segment.is_empty())?.by_path(tail);
        let all = || self.rest.known().filter(|_| !rest.is_empty());
        literal().or_else(parameter).or_else(all)
    }

    fn by_template(&self, rest: &str) -> Option<&Leaf> {
        let (segment, tail) = split(rest);
        let node = match template::segment(segment).ok()? {
            Segment::Literal(text) => self.literals.get(text)?,
            Segment::Parameter => self.parameter.as_ref()?,
            Segment::Rest => return self.rest.known().filter(|_| tail.is_none()),
        };
        tail.map_or_else(|| node.leaf.known(), |tail| node.by_template(tail))
    }
}

impl Leaf {
    fn known(&self) -> Option<&Self> {
        (!self.0.is_empty()).then_some(self)
    }

    /// The method's own line, GET's for HEAD, else that of `*`.
    fn by_method(&self, method: &str) -> Found {
        let line = |wanted: &str| {
            self.0.iter().find(|(known, _)| **known == *wanted).map(|(_, number)| *number)
        };
        let head = || if method == "HEAD" { line("GET") } else { None };
        line(method).or_else(head).or_else(|| line("*")).map_or(Found::Unlisted, Found::Line)
    }
}

fn split(rest: &str) -> (&str, Option<&str>) {
    rest.split_once('/').map_or((rest, None), |(segment, tail)| (segment, Some(tail)))
}

fn is_method(text: &str) -> bool {
    let token = !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    token || text == "*"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(routes: &Routes) -> Table {
        let (table, errors) = Table::build(routes);
        assert_eq!(errors, []);
        table
    }

    #[test]
    fn literal_before_parameter_before_rest_and_back_again() {
        let routes = Routes::new()
            .public("GET", "/a/b")
            .public("GET", "/a/{x}")
            .public("GET", "/{x}/c")
            .public("GET", "/{*rest}")
            .public("GET", "/a/");
        let table = table(&routes);
        let check = |path: &str, expected| assert_eq!(table.find("GET", path), expected, "{path}");
        check("/a/b", Found::Line(0));
        check("/a/z", Found::Line(1));
        check("/b/c", Found::Line(2));
        check("/a/b/c", Found::Line(3));
        check("/a", Found::Line(3));
        check("/a/", Found::Line(4));
        check("/b/", Found::Line(3));
        check("/", Found::Unlisted);
    }

    #[test]
    fn methods() {
        let routes = Routes::new()
            .public("GET", "/a")
            .authenticated("*", "/a")
            .public("GET", "/b")
            .authenticated("HEAD", "/b");
        let table = table(&routes);
        let check = |method: &str, path: &str, expected| {
            assert_eq!(table.find(method, path), expected, "{method} {path}");
        };
        check("GET", "/a", Found::Line(0));
        check("HEAD", "/a", Found::Line(0));
        check("OPTIONS", "/a", Found::Line(1));
        check("HEAD", "/b", Found::Line(3));
        check("POST", "/b", Found::Unlisted);
        check("get", "/b", Found::Unlisted);
    }

    #[test]
    fn a_literal_in_disguise_is_ambiguous() {
        let table = table(&Routes::new().public("GET", "/{name}").role("GET", "/@me", "x"));
        assert_eq!(table.find("GET", "/%40me"), Found::Ambiguous);
        assert_eq!(table.find("GET", "/%40you"), Found::Line(0));
    }

    #[test]
    fn templates_are_found_whatever_their_parameters_are_called() {
        let table = table(&Routes::new().public("GET", "/a/{id}").public("GET", "/b/{*rest}"));
        assert_eq!(table.find_template("GET", "/a/{order}"), Found::Line(0));
        assert_eq!(table.find_template("GET", "/b/{*tail}"), Found::Line(1));
        assert_eq!(table.find_template("GET", "/a/7"), Found::Unlisted);
        assert_eq!(table.find_template("GET", "/b/{*tail}/x"), Found::Unlisted);
    }

    #[test]
    fn every_bad_line_is_named() {
        let routes = Routes::new()
            .public("GET", "/a/{id}")
            .authenticated("GET", "/a/{other}")
            .public("get", "/b")
            .public("GET", "b");
        let (_, errors) = Table::build(&routes);
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "route `GET /a/{other}` stands twice: as public and as authenticated",
                "route `get /b`: `get` is no method; write it in capitals, or `*`",
                "route `GET b`: a template starts with `/`",
            ]
        );
    }
}
