//! Runs the trees of Cedar's policy text.

use super::{
    Function, Node,
    hierarchy::{Any, is_in},
    numbers::arithmetic,
    sets::{Cells, END, Link, Seen},
};
use crate::authz::{
    Attr, EvalError, Value,
    load::expr::Root,
    program::Read,
    world::{Stop, World, like, numbers, present, uid},
};

/// The condition's answer.
///
/// # Errors
/// Where Cedar's evaluation ends with one, and where something is not known.
pub(in crate::authz) fn truth<'a>(node: &'a Node, world: &World<'a>) -> Result<bool, Stop> {
    Run { world, cells: Cells::default() }.truth(node)
}

const WRONG: Stop = Stop::Error(EvalError::WrongType);

struct Run<'w, 'a> {
    world: &'w World<'a>,
    cells: Cells<'a>,
}

impl<'a> Run<'_, 'a> {
    /// What is neither a set nor a record that the condition made.
    fn one(&mut self, node: &'a Node) -> Result<Value<'a>, Stop> {
        let Seen::One(value) = self.seen(node)? else { return Err(WRONG) };
        Ok(value)
    }

    fn long(&mut self, node: &'a Node) -> Result<i64, Stop> {
        let Value::Long(value) = self.one(node)? else { return Err(WRONG) };
        Ok(value)
    }

    fn both(&mut self, nodes: &'a [Node; 2]) -> Result<[Seen<'a>; 2], Stop> {
        let [left, right] = nodes;
        Ok([self.seen(left)?, self.seen(right)?])
    }

    /// The node's value; never [`Value::Missing`] or [`Value::Error`].
    fn seen(&mut self, node: &'a Node) -> Result<Seen<'a>, Stop> {
        let value = match node {
            Node::Constant(datum) => datum.value(),
            Node::Read(read) => return self.world.read(read, |value| Ok(Seen::One(*value))),
            Node::Attribute(of, names) => return self.attribute(of, names),
            Node::If(nodes) => {
                let [condition, one, other] = &**nodes;
                let chosen = if self.truth(condition)? { one } else { other };
                return self.seen(chosen);
            }
            Node::Negated(inner) => {
                let negated = self.long(inner)?.checked_neg();
                Value::Long(negated.ok_or(Stop::Error(EvalError::Overflow))?)
            }
            Node::Arithmetic(operator, nodes) => {
                let [left, right] = &**nodes;
                let (left, right) = (self.one(left)?, self.one(right)?);
                Value::Long(arithmetic(*operator, &left, &right)?)
            }
            Node::Call(function, arguments) => return self.call(*function, arguments),
            Node::Set(elements) => {
                return self.link(elements.iter().map(|element| ("", element))).map(Seen::Set);
            }
            Node::Record(fields) => {
                let fields = fields.iter().map(|(name, field)| (&**name, field));
                return self.link(fields).map(Seen::Record);
            }
            Node::Has(..)
            | Node::Not(_)
            | Node::And(_)
            | Node::Or(_)
            | Node::Equal(_)
            | Node::Less(_)
            | Node::AtMost(_)
            | Node::In(_)
            | Node::Is(..)
            | Node::IsIn(..)
            | Node::Like(..)
            | Node::Contains(..)
            | Node::IsEmpty(_) => Value::Bool(self.truth(node)?),
        };
        Ok(Seen::One(value))
    }

    /// A question with a yes or a no, or a value that is one.
    fn truth(&mut self, node: &'a Node) -> Result<bool, Stop> {
        match node {
            Node::Has(of, names) => self.has(of, names),
            Node::Not(inner) => Ok(!self.truth(inner)?),
            Node::And(nodes) => self.chain(nodes, false),
            Node::Or(nodes) => self.chain(nodes, true),
            Node::Equal(nodes) => {
                let [left, right] = self.both(nodes)?;
                self.cells.equal(left, right)
            }
            Node::Less(nodes) => self.ordered(nodes).map(|(left, right)| left < right),
            Node::AtMost(nodes) => self.ordered(nodes).map(|(left, right)| left <= right),
            Node::In(nodes) => {
                let [Seen::One(left), right] = self.both(nodes)? else { return Err(WRONG) };
                self.is_in_seen(&left, right)
            }
            Node::Is(inner, name) => Ok(uid(&self.one(inner)?)?.type_name == *name),
            Node::IsIn(nodes, name) => {
                let [left, right] = &**nodes;
                let left = self.one(left)?;
                if uid(&left)?.type_name != *name {
                    return Ok(false);
                }
                let right = self.seen(right)?;
                self.is_in_seen(&left, right)
            }
            Node::Like(inner, pieces) => {
                let Value::Str(text) = self.one(inner)? else { return Err(WRONG) };
                Ok(like(text, pieces))
            }
            Node::Contains(how, nodes) => {
                let [set, asked] = self.both(nodes)?;
                self.cells.contains(*how, set, asked)
            }
            Node::IsEmpty(inner) => {
                let set = self.seen(inner)?;
                self.cells.each(set, |_| false)
            }
            Node::Constant(_)
            | Node::Read(_)
            | Node::Attribute(..)
            | Node::Negated(_)
            | Node::If(_)
            | Node::Arithmetic(..)
            | Node::Call(..)
            | Node::Set(_)
            | Node::Record(_) => {
                let Value::Bool(value) = self.one(node)? else { return Err(WRONG) };
                Ok(value)
            }
        }
    }

    /// Up to the first that is `end`.
    fn chain(&mut self, nodes: &'a [Node], end: bool) -> Result<bool, Stop> {
        for node in nodes {
            if self.truth(node)? == end {
                return Ok(end);
            }
        }
        Ok(!end)
    }

    fn ordered(&mut self, nodes: &'a [Node; 2]) -> Result<(i64, i64), Stop> {
        let [Seen::One(left), Seen::One(right)] = self.both(nodes)? else { return Err(WRONG) };
        numbers(&left, &right)
    }

    /// What attributes are read of. The gate's members of the context are known before a handler
    /// runs, the others are not.
    fn owner(&mut self, of: &'a Node, first: &str) -> Result<Seen<'a>, Stop> {
        if let Node::Read(Read { root: Root::Context, attributes }) = of
            && attributes.is_empty()
            && self.world.context.supplies(first)
        {
            return Ok(Seen::One(Value::Record(self.world.context)));
        }
        self.seen(of)
    }

    fn attribute(&mut self, of: &'a Node, names: &'a [Box<str>]) -> Result<Seen<'a>, Stop> {
        let mut seen = self.owner(of, names.first().map_or("", |name| name))?;
        for name in names {
            seen = self.member(&seen, name)?;
            if let Seen::One(value) = &seen {
                present(value)?;
            }
        }
        Ok(seen)
    }

    /// Asks for each by all before it, up to the first that is not there.
    fn has(&mut self, of: &'a Node, names: &'a [Box<str>]) -> Result<bool, Stop> {
        let mut seen = self.owner(of, names.first().map_or("", |name| name))?;
        for name in names {
            seen = self.member(&seen, name)?;
            match &seen {
                Seen::One(Value::Missing) => return Ok(false),
                Seen::One(value) => present(value)?,
                Seen::Set(_) | Seen::Record(_) => {}
            }
        }
        Ok(true)
    }

    /// An attribute or a field, which may be missing.
    fn member(&self, owner: &Seen<'a>, name: &str) -> Result<Seen<'a>, Stop> {
        let attr = Attr::new(name);
        match owner {
            Seen::Record(first) => {
                Ok(self.cells.field(*first, name).unwrap_or(Seen::One(Value::Missing)))
            }
            Seen::One(value) => self.world.member(value, &attr).map(Seen::One),
            Seen::Set(_) => Err(WRONG),
        }
    }

    fn is_in_seen(&self, left: &Value<'a>, right: Seen<'_>) -> Result<bool, Stop> {
        let made = match right {
            Seen::One(right) => return is_in(self.world, left, &right),
            made @ (Seen::Set(_) | Seen::Record(_)) => made,
        };
        let mut any = Any::new(self.world, uid(left)?, self.world.entity(left));
        self.cells.try_each(made, |element| match element {
            Seen::One(upper) => any.ask(&upper).map(|()| true),
            Seen::Set(_) | Seen::Record(_) => Err(WRONG),
        })?;
        any.answer()
    }

    fn call(&mut self, function: Function, arguments: &'a [Node]) -> Result<Seen<'a>, Stop> {
        if let (Function::GetTag | Function::HasTag, [of, tag]) = (function, arguments) {
            let [of, tag] = [self.one(of)?, self.one(tag)?];
            let (Ok(_), Value::Str(tag)) = (uid(&of), tag) else { return Err(WRONG) };
            let entity = self.world.attributed(&of)?;
            let value = entity.map_or(Value::Missing, |entity| entity.tag(tag));
            return Ok(Seen::One(match (function, value) {
                (Function::HasTag, Value::Missing) => Value::Bool(false),
                (Function::HasTag, value) => present(&value).map(|()| Value::Bool(true))?,
                (_, value) => present(&value).map(|()| value)?,
            }));
        }
        // Each is evaluated, however many the function takes.
        let mut values = [Value::Missing; 2];
        for (at, argument) in arguments.iter().enumerate() {
            let value = self.seen(argument)?;
            let (Some(place), Seen::One(value)) = (values.get_mut(at), value) else { continue };
            *place = value;
        }
        let values = values.get(..arguments.len()).ok_or(WRONG)?;
        Ok(Seen::One(function.call(values).map_err(Stop::Error)?))
    }

    /// Evaluates the parts and links them in their order.
    fn link(
        &mut self,
        parts: impl DoubleEndedIterator<Item = (&'a str, &'a Node)>,
    ) -> Result<Link, Stop> {
        let mut next = END;
        for (name, part) in parts.rev() {
            let value = self.seen(part)?;
            next = self.cells.push(name, value, next);
        }
        Ok(next)
    }
}
