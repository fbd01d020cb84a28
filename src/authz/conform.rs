//! Holds a Rust type against what the document declares of it.

use super::{
    Describe, PolicyErrors, PolicySet, TypeName,
    load::error::{Place, Problems, hint},
    names::nearest,
    schema::Ty,
};

impl PolicySet {
    /// Checks at start that `R` can supply what the document declares of its type. It may
    /// supply more.
    ///
    /// ```
    /// use portcullis::authz::{Document, PolicySet};
    ///
    /// struct Order { id: String, owned_by: String }
    /// portcullis::entity! { Order as "Order" by id { ownr: "User" = owned_by } }
    ///
    /// let policies = PolicySet::from_document(Document::from_toml(r#"
    ///     [resources.Order]
    ///     attributes = { owner = "User" }
    ///     actions = ["order:read"]
    /// "#)?)?;
    /// assert_eq!(
    ///     policies.check::<Order>().unwrap_err().to_string(),
    ///     "resources.Order.attributes.owner: the Rust type has no `owner`; did you mean `ownr`?",
    /// );
    /// # Ok::<(), portcullis::authz::PolicyErrors>(())
    /// ```
    ///
    /// # Errors
    /// Lists every declared attribute that the Rust type has not, has with another type, or may
    /// lack although it is declared as always there.
    pub fn check<R: Describe>(&self) -> Result<(), PolicyErrors> {
        let mut problems = Problems::default();
        let root = Place::default().key("resources");
        if self.schema.knows(R::TYPE) {
            self.check_attributes::<R>(&root.key(R::TYPE).key("attributes"), &mut problems);
        } else {
            let meant = nearest(R::TYPE, self.schema.type_texts());
            problems.add(&root, || format!("no type `{}`{}", R::TYPE, hint(meant)));
        }
        problems.finish(None)
    }

    /// Whether conditions may read this attribute of a principal: any, where no types are declared,
    /// as in Cedar's policy text.
    #[must_use]
    pub fn has_principal_attribute(&self, name: &str) -> bool {
        self.schema.is_open || self.principal_attributes().any(|known| known == name)
    }

    /// The attribute of a principal that `name` was probably meant to be.
    #[must_use]
    pub fn nearest_principal_attribute(&self, name: &str) -> Option<&str> {
        nearest(name, self.principal_attributes())
    }

    /// Whether nothing at all is declared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions.len() == 0 && self.roles.len() == 0
    }

    fn principal_attributes(&self) -> impl Iterator<Item = &str> {
        let declared = self.schema.attributes(Ty::Principal);
        declared.into_iter().flat_map(|declared| declared.0.keys().map(|name| &**name))
    }

    fn check_attributes<R: Describe>(&self, place: &Place, problems: &mut Problems) {
        let declared = self.schema.attributes(Ty::Entity(TypeName::new(R::TYPE)));
        for (name, declared) in declared.into_iter().flat_map(|declared| &declared.0) {
            let place = place.key(name);
            let Some((_, ty)) = R::ATTRIBUTES.iter().find(|(known, _)| *known == &**name) else {
                let meant = nearest(name, R::ATTRIBUTES.iter().map(|(known, _)| *known));
                problems.add(&place, || format!("the Rust type has no `{name}`{}", hint(meant)));
                continue;
            };
            // What is always there will do where it may be absent, not the other way round.
            let (word, found) = (self.schema.word(*declared), ty.to_string());
            if found != word && format!("{found}?") != word {
                problems.add(&place, || {
                    format!("`{name}` is declared as `{word}`, but is `{found}` in the Rust type")
                });
            }
        }
    }
}
