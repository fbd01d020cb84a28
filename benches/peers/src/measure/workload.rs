//! One piece of work, and all who do it.

use super::{
    Engine, Plan,
    engine::Heap,
    statistics::{median, quantile},
};
use crate::report::Row;

/// Engines that do the same work, and the answers that all of them must give.
pub(crate) struct Workload<'a> {
    name: String,
    expected: Vec<bool>,
    reference: usize,
    base: Option<usize>,
    engines: Vec<Engine<'a>>,
}

/// What an engine took, turn by turn.
#[derive(Default)]
struct Timing {
    samples: Vec<f64>,
    rounds: Vec<f64>,
}

impl<'a> Workload<'a> {
    /// Work in which the right answers to the questions that are asked first are `expected`.
    pub(crate) fn new(name: impl Into<String>, expected: impl IntoIterator<Item = bool>) -> Self {
        let expected = expected.into_iter().collect();
        Self { name: name.into(), expected, reference: 0, base: None, engines: Vec::new() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Adds one.
    pub(crate) fn engine(mut self, engine: Engine<'a>) -> Self {
        self.engines.push(engine);
        self
    }

    /// Adds the one that all ratios are to.
    pub(crate) fn reference(mut self, engine: Engine<'a>) -> Self {
        self.reference = self.engines.len();
        self.engine(engine)
    }

    /// Adds one that is not told of and has nothing to answer: what it takes is taken off the
    /// figures of those that [`Engine::beyond_base`] says.
    #[cfg(any(feature = "tokens", feature = "stack", test))]
    pub(crate) fn base(mut self, engine: Engine<'a>) -> Self {
        self.base = Some(self.engines.len());
        self.engine(engine)
    }

    /// Compares the answers, then the times.
    pub(super) fn run(mut self, plan: &Plan) -> Result<Vec<Row>, String> {
        self.compare_answers()?;
        if let Some(name) = &plan.only {
            self.keep_only(name);
        }
        self.engines.iter_mut().for_each(Engine::calibrate);
        let timings = self.time(plan);
        let reference = timings.get(self.reference).map_or(&[][..], |timing| &timing.rounds);
        let base = self.base.and_then(|base| self.engines.get(base));
        let base_heap = base.map_or(Heap::default(), |base| base.heap);
        let told = self.engines.iter().zip(&timings).enumerate();
        Ok(told
            .filter(|(at, _)| Some(*at) != self.base)
            .map(|(_, (engine, timing))| {
                let ratios: Vec<f64> =
                    timing.rounds.iter().zip(reference).map(|(own, other)| own / other).collect();
                let base = if engine.beyond_base { base_heap } else { Heap::default() };
                let heap = engine.heap.beyond(base);
                Row {
                    workload: self.name.clone(),
                    engine: engine.name.clone(),
                    median_ns: median(&timing.samples),
                    p99_ns: quantile(&timing.samples, 0.99),
                    allocs: heap.allocs,
                    bytes: heap.bytes,
                    ratio: median(&ratios),
                    answers_equal: engine.answers == self.expected,
                }
            })
            .collect())
    }

    /// The first that is left is the reference, and nothing is taken off.
    fn keep_only(&mut self, name: &str) {
        self.engines.retain(|engine| engine.name.contains(name));
        self.engines.iter_mut().for_each(|engine| engine.beyond_base = false);
        (self.reference, self.base) = (0, None);
    }

    fn compare_answers(&self) -> Result<(), String> {
        let wrong = self.engines.iter().find(|engine| engine.answers != self.expected);
        wrong.map_or(Ok(()), |engine| {
            let (name, answers) = (&engine.name, &engine.answers);
            let expected = &self.expected;
            Err(format!("{}: `{name}` says {answers:?} and not {expected:?}", self.name))
        })
    }

    /// Gives every engine its turn, round by round.
    fn time(&mut self, plan: &Plan) -> Vec<Timing> {
        let count = self.engines.len();
        let mut timings: Vec<Timing> = self.engines.iter().map(|_| Timing::default()).collect();
        for round in 0..plan.rounds {
            let mut turns = vec![Vec::new(); count];
            for at in (0..count).map(|nth| (round + nth) % count) {
                if let (Some(engine), Some(turn)) = (self.engines.get_mut(at), turns.get_mut(at)) {
                    *turn = engine.turn(plan.slice);
                }
            }
            let base = self.base.and_then(|base| turns.get(base)).map_or(0.0, |turn| median(turn));
            for ((engine, timing), turn) in self.engines.iter().zip(&mut timings).zip(&turns) {
                timing.note(turn, if engine.beyond_base { base } else { 0.0 });
            }
        }
        timings
    }
}

impl Timing {
    fn note(&mut self, turn: &[f64], base: f64) {
        self.rounds.push(median(turn) - base);
        self.samples.extend(turn.iter().map(|sample| sample - base));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PLAN: &Plan = &Plan { rounds: 3, slice: Duration::from_micros(1), only: None };

    fn fixed(name: &str, nanos: u64, answers: &[bool]) -> Engine<'static> {
        let answers = answers.iter().copied();
        let each = Duration::from_nanos(nanos);
        Engine::timed(name, answers, Duration::ZERO, move |operations| each * operations as u32)
    }

    #[test]
    fn figures_are_beyond_the_base_and_ratios_to_the_reference() {
        let rows = Workload::new("w", [true, false])
            .base(fixed("bare", 1_000, &[true, false]))
            .reference(fixed("peer", 5_000, &[true, false]).beyond_base())
            .engine(fixed("ours", 2_000, &[true, false]).beyond_base())
            .engine(fixed("bound", 500, &[true, false]))
            .run(PLAN)
            .unwrap();
        let told: Vec<_> = rows.iter().map(|r| (r.engine.as_str(), r.median_ns, r.ratio)).collect();
        assert_eq!(
            told,
            [("peer", 4_000.0, 1.0), ("ours", 1_000.0, 0.25), ("bound", 500.0, 0.125)]
        );
        assert!(rows.iter().all(|row| row.answers_equal));
    }

    #[test]
    fn one_engine_alone_is_timed_whole() {
        let workload = Workload::new("w", [])
            .base(fixed("bare", 1_000, &[]))
            .reference(fixed("peer", 5_000, &[]).beyond_base())
            .engine(fixed("ours", 2_000, &[]).beyond_base());
        let rows = workload.run(&Plan { only: Some("ours".to_owned()), ..PLAN.clone() }).unwrap();
        let told: Vec<_> = rows.iter().map(|r| (r.engine.as_str(), r.median_ns, r.ratio)).collect();
        assert_eq!(told, [("ours", 2_000.0, 1.0)]);
    }

    #[test]
    fn another_answer_stops_the_run_before_anything_is_timed() {
        let mut runs = 0;
        let wrong = Engine::timed("wrong", [true], Duration::ZERO, |_| {
            runs += 1;
            Duration::ZERO
        });
        let workload = Workload::new("w", [false]).reference(wrong);
        assert_eq!(workload.run(PLAN).unwrap_err(), "w: `wrong` says [true] and not [false]");
        assert_eq!(runs, 1, "only its allocations were counted");
    }
}
