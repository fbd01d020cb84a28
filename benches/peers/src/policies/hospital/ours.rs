//! Ours: the application's own types, with the action's handle and by the action's name.

use std::{error::Error, hint::black_box};

use portcullis::{
    UnixTime,
    authz::{
        AccessRequest, Action, Attr, Context, Entity, PolicySet, Subject, TypeName, Uid, Value,
    },
};

use super::{Asked, Hospital, Item, Staff};
use crate::measure::{Cycle, Engine, Workload};

impl Entity for Staff {
    fn type_name(&self) -> TypeName {
        const { TypeName::new("User") }
    }
    fn id(&self) -> &str {
        &self.id
    }
    fn attr(&self, attr: &Attr<'_>) -> Value<'_> {
        match attr.name() {
            "role" => Value::Str(self.role),
            "clearance" => Value::Long(self.clearance),
            _ => Value::Missing,
        }
    }
    fn is_in(&self, ancestor: Uid<'_>) -> bool {
        ancestor.type_name == const { TypeName::new("Department") }
            && self.departments.iter().any(|one| one == ancestor.id)
    }
}

impl Entity for Item {
    fn type_name(&self) -> TypeName {
        TypeName::new(self.kind)
    }
    fn id(&self) -> &str {
        "x"
    }
    fn attr(&self, attr: &Attr<'_>) -> Value<'_> {
        match attr.name() {
            "department" => Value::Str(&self.department),
            "sensitivity" => Value::Long(self.sensitivity),
            _ => Value::Missing,
        }
    }
}

const NOTHING: [(&str, Value<'static>); 0] = [];

pub(super) struct Ours {
    policies: PolicySet,
    subject: Subject,
    context: Context<'static>,
}

impl Ours {
    pub(super) fn new(policies: &str) -> Result<Self, Box<dyn Error>> {
        let policies = PolicySet::from_cedar(policies)?;
        let subject = policies.without_roles();
        Ok(Self { policies, subject, context: Context::plain(UnixTime::from_secs(0), &NOTHING) })
    }

    pub(super) fn action(&self, name: &str) -> Option<Action> {
        self.policies.action(name)
    }

    pub(super) fn may(&self, asked: &Asked, action: Option<Action>) -> bool {
        action.is_some_and(|action| {
            let asked = AccessRequest {
                subject: &self.subject,
                principal: &asked.staff,
                action,
                resource: &asked.item,
                context: &self.context,
            };
            self.policies.decide(&asked).is_allow()
        })
    }
}

pub(super) fn add<'a>(
    workload: Workload<'a>,
    hospital: &'a Hospital,
) -> Result<Workload<'a>, Box<dyn Error>> {
    let ours = Ours::new(&hospital.policies)?;
    let asked = Cycle::new(hospital.asked.iter().map(|one| (one, ours.action(one.action))));
    let answers = asked.answers(|(one, action)| ours.may(one, *action));
    let handles = Engine::new("portcullis", answers, move || {
        asked.ask(|(one, action)| ours.may(black_box(one), *action))
    });
    let ours = Ours::new(&hospital.policies)?;
    let asked = Cycle::new(&hospital.asked);
    let answers = asked.answers(|one| ours.may(one, ours.action(one.action)));
    let names = Engine::new("portcullis+action by name", answers, move || {
        asked.ask(|one| ours.may(black_box(one), ours.action(black_box(one.action))))
    });
    Ok(workload.engine(handles).engine(names))
}
