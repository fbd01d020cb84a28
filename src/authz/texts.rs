//! Many texts in one buffer.

/// Texts by their places.
#[derive(Debug, Default)]
pub(super) struct Texts {
    all: Box<str>,
    /// Where each ends and the next begins.
    ends: Box<[u32]>,
}

impl Texts {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, place: u32) -> Option<&str> {
        let end = *self.ends.get(place as usize)?;
        let before = place.checked_sub(1).and_then(|before| self.ends.get(before as usize));
        self.all.get(before.map_or(0, |end| *end as usize)..end as usize)
    }
}

impl<T: AsRef<str>> FromIterator<T> for Texts {
    /// What is beyond 4 GiB has no text; a document's bounds leave room for none of it.
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let mut all = String::new();
        let ends = texts.into_iter().map(|text| {
            all.push_str(text.as_ref());
            u32::try_from(all.len()).unwrap_or(u32::MAX)
        });
        Self { ends: ends.collect(), all: all.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_at_its_place() {
        let listed = ["", "a", "", "bé", "c"];
        let texts: Texts = listed.into_iter().collect();
        assert_eq!(texts.len(), listed.len());
        assert!((0..).zip(listed).all(|(place, text)| texts.get(place) == Some(text)));
        assert_eq!((texts.get(5), Texts::default().get(0)), (None, None));
    }
}
