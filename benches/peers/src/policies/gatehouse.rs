//! gatehouse: rules are Rust, and an answer is a future. Of rules that wait for nothing it is there
//! at the first poll, so no runtime is measured.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use gatehouse::{BoundEvaluator, PermissionChecker, Policy, PolicyDomain};

/// One that grants what the policy grants.
pub(super) fn checker<D: PolicyDomain>(policy: impl Policy<D> + 'static) -> PermissionChecker<D> {
    let mut checker = PermissionChecker::new();
    checker.add_policy(policy);
    checker
}

pub(super) fn allows<D: PolicyDomain>(
    bound: &BoundEvaluator<'_, D>,
    resource: &D::Resource,
) -> bool {
    let answer = pin!(bound.check(resource)).poll(&mut Context::from_waker(Waker::noop()));
    matches!(answer, Poll::Ready(answer) if answer.is_granted())
}
