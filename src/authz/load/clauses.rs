//! What is and-ed in a condition, for explanations and the index.

use std::mem;

use super::expr::{Expr, Kind, Literal, Path, Relation};

/// What is and-ed in a condition. Clauses about one value that become one step stay together.
pub(super) fn clauses(condition: Expr) -> Vec<Expr> {
    let Kind::And(parts) = condition.kind else { return vec![condition] };
    let mut clauses: Vec<Expr> = Vec::new();
    let mut before = None;
    for part in parts {
        let this = Subject::of(&part);
        match clauses.last_mut().filter(|_| is_followed(before.as_ref(), this.as_ref())) {
            Some(Expr { kind: Kind::And(clause), .. }) => clause.push(part),
            Some(clause) => {
                let first = mem::replace(&mut clause.kind, Kind::And(Vec::new()));
                let first = Expr { kind: first, at: clause.at };
                clause.kind = Kind::And(vec![first, part]);
            }
            None => clauses.push(part),
        }
        before = this;
    }
    clauses
}

/// What a clause is about.
struct Subject {
    path: Path,
    about: About,
}

#[derive(PartialEq, Eq)]
enum About {
    Presence,
    /// An end of a range of numbers.
    End,
    Other,
}

fn is_followed(before: Option<&Subject>, this: Option<&Subject>) -> bool {
    let (Some(before), Some(this)) = (before, this) else { return false };
    let presence = before.about == About::Presence && this.about != About::Presence;
    let range = before.about == About::End && this.about == About::End;
    (presence || range) && before.path == this.path
}

impl Subject {
    /// `None` where others divide rules by the clause, or where it makes no single step.
    fn of(clause: &Expr) -> Option<Self> {
        let is_literal = |expr: &Expr| matches!(expr.kind, Kind::Literal(_));
        let is_long = |expr: &Expr| matches!(expr.kind, Kind::Literal(Literal::Long(_)));
        let (of, about) = if let Kind::Has(of, name) = &clause.kind {
            let Kind::Path(path) = &of.kind else { return None };
            let mut path = path.clone();
            path.attributes.push(name.clone());
            return Some(Self { path, about: About::Presence });
        } else if let Kind::Compare(relation, of, to) = &clause.kind {
            let is_equal = *relation == Relation::Equal;
            if is_equal && is_literal(to) {
                return None;
            }
            (of, if !is_equal && is_long(to) { About::End } else { About::Other })
        } else if let Kind::Differs(of, _)
        | Kind::In(of, _)
        | Kind::Is(of, _, None)
        | Kind::InRange(of, _)
        | Kind::Like(of, _) = &clause.kind
        {
            (of, About::Other)
        } else {
            return None;
        };
        let Kind::Path(path) = &of.kind else { return None };
        Some(Self { path: path.clone(), about })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::expr::parse, *};

    #[test]
    fn questions_about_one_value_stay_together_unless_they_divide_rules() {
        let check = |condition: &str, expected: &[&str]| {
            let clauses = clauses(parse(condition).unwrap());
            let texts: Vec<String> = clauses.iter().map(ToString::to_string).collect();
            assert_eq!(texts, expected);
        };
        check("resource.a > 1", &["resource.a > 1"]);
        check("resource.a > 1 || resource.a < 0", &["resource.a > 1 || resource.a < 0"]);
        check(
            "context.a && resource.a >= 1 && resource.a < 3 && resource.b < 3",
            &["context.a", "resource.a >= 1 && resource.a < 3", "resource.b < 3"],
        );
        check(
            "resource has a && resource.a > 1 && resource.a < 3",
            &["resource has a && resource.a > 1 && resource.a < 3"],
        );
        check(
            "resource has a && resource.a == principal && resource has b && principal.b > 1",
            &["resource has a && resource.a == principal", "resource has b", "principal.b > 1"],
        );
        check(
            r#"resource has a && resource.a == "x" && resource has a && resource has a"#,
            &["resource has a", r#"resource.a == "x""#, "resource has a", "resource has a"],
        );
        check(
            "resource.a > principal.a && resource.a < 3",
            &["resource.a > principal.a", "resource.a < 3"],
        );
    }
}
