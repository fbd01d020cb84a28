//! Making an enforcer, which casbin does asynchronously.

use std::error::Error;

use casbin::{CachedEnforcer, CoreApi, DefaultModel, Enforcer, MgmtApi};
use tokio::runtime::Builder;

/// An enforcer of this model, with these rules and roles.
pub(super) fn enforcer(
    model: &str,
    rules: Vec<Vec<String>>,
    groups: Vec<Vec<String>>,
) -> Result<Enforcer, Box<dyn Error>> {
    Builder::new_current_thread().build()?.block_on(async {
        let mut enforcer = Enforcer::new(DefaultModel::from_str(model).await?, ()).await?;
        fill(&mut enforcer, rules, groups).await?;
        Ok(enforcer)
    })
}

/// The same with casbin's cache of 200 answers in front.
pub(super) fn cached(
    model: &str,
    rules: Vec<Vec<String>>,
    groups: Vec<Vec<String>>,
) -> Result<CachedEnforcer, Box<dyn Error>> {
    Builder::new_current_thread().build()?.block_on(async {
        let mut enforcer = CachedEnforcer::new(DefaultModel::from_str(model).await?, ()).await?;
        fill(&mut enforcer, rules, groups).await?;
        Ok(enforcer)
    })
}

async fn fill(
    enforcer: &mut impl MgmtApi,
    rules: Vec<Vec<String>>,
    groups: Vec<Vec<String>>,
) -> Result<(), Box<dyn Error>> {
    enforcer.add_policies(rules).await?;
    if !groups.is_empty() {
        enforcer.add_grouping_policies(groups).await?;
    }
    Ok(())
}
