//! Random conditions of the right types.

use portcullis_differential::Choices;

/// What the resource of a rule may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    Doc,
    Folder,
    Both,
}

/// Writes one condition.
pub(crate) struct Writer<'c> {
    pub(crate) choices: &'c mut Choices,
    pub(crate) about: About,
    pub(crate) roles: &'c [String],
}

impl Writer<'_> {
    pub(crate) fn condition(&mut self, depth: usize) -> String {
        if depth == 0 || self.choices.chance(35) {
            return self.test();
        }
        let deeper = depth - 1;
        match self.choices.below(7) {
            6 => format!(
                "if {} then {} else {}",
                self.condition(0),
                self.condition(deeper),
                self.condition(deeper)
            ),
            0 => format!("{} && {}", self.part(deeper), self.part(deeper)),
            1 => format!("{} || {}", self.part(deeper), self.part(deeper)),
            2 => format!("!{}", self.part(deeper)),
            3 => format!("{} == {}", self.part(deeper), self.part(deeper)),
            4 => format!("{} != {}", self.part(deeper), self.part(deeper)),
            _ => format!("{} && {} && {}", self.part(0), self.part(deeper), self.part(0)),
        }
    }

    fn part(&mut self, depth: usize) -> String {
        format!("({})", self.condition(depth))
    }

    fn test(&mut self) -> String {
        match self.choices.below(16) {
            15 => self.call(),
            10 => format!("{} like {}", self.text(), self.pattern()),
            11 => self.of_set(),
            12 => self.kind(),
            13 => self.record(),
            14 => format!("{} in [{}, {}]", self.climber(), self.folder(), self.folder()),
            0 => self.truth(),
            1 => self.compare(Self::long, true),
            2 => self.compare(Self::text, false),
            3 => self.compare(Self::user, false),
            4 => self.compare(Self::folder, false),
            5 => self.of_doc(),
            6 => format!("{} in {}", self.climber(), self.folder()),
            7 => {
                let role = self.choices.below(self.roles.len());
                format!("principal in Role::\"{}\"", self.roles[role])
            }
            8 => self.has(),
            _ => format!("context.client.isInRange({})", self.net()),
        }
    }

    fn truth(&mut self) -> String {
        self.choices.pick(&["true", "context.secure", "false", "!context.secure"]).to_owned()
    }

    fn compare(&mut self, side: fn(&mut Self) -> String, ordered: bool) -> String {
        let equal = ["==", "!="];
        let all = ["==", "!=", "<", "<=", ">", ">="];
        let operator = self.choices.pick(if ordered { &all[..] } else { &equal });
        format!("{} {operator} {}", side(self), side(self))
    }

    fn long(&mut self) -> String {
        let own = ["principal.level", "context.limit", "1", "0", "-1", "2"];
        let rare = ["9223372036854775807", "-9223372036854775808", "context.about.level"];
        match self.choices.below(7) {
            4 => {
                let operator = self.choices.pick(&["+", "-", "*"]);
                format!("({} {operator} {})", self.long(), self.long())
            }
            5 => format!("-({})", self.long()),
            6 => {
                let condition = self.truth();
                format!("(if {condition} then {} else {})", self.long(), self.long())
            }
            0 => self.choices.pick(&own).to_owned(),
            1 => "resource.level".to_owned(),
            2 => format!("{}.level", self.entity()),
            _ => self.choices.pick(&rare).to_owned(),
        }
    }

    /// What the functions of the extension types are asked.
    fn call(&mut self) -> String {
        match self.choices.below(7) {
            0 => {
                let operator = self.choices.pick(&["==", "<", ">="]);
                format!("{} {operator} {}", self.moment(), self.moment())
            }
            1 => {
                format!(
                    "{}.durationSince({}).toDays() > {}",
                    self.moment(),
                    self.moment(),
                    self.long()
                )
            }
            2 => format!("{}.toTime() <= {}", self.moment(), self.span()),
            3 => {
                let unit = self.choices.pick(&["Milliseconds", "Seconds", "Minutes", "Hours"]);
                format!("{}.to{unit}() * 2 == {}", self.span(), self.long())
            }
            4 => {
                let methods = ["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"];
                format!("{}.{}({})", self.decimal(), self.choices.pick(&methods), self.decimal())
            }
            5 => format!("[{}, {}].contains({})", self.decimal(), self.decimal(), self.decimal()),
            _ => {
                let method = self.choices.pick(&["Ipv4", "Ipv6", "Loopback", "Multicast"]);
                format!("context.client.is{method}()")
            }
        }
    }

    fn moment(&mut self) -> String {
        let texts = ["1970-01-01", "2024-02-29T23:59:59.999Z", "1969-12-31T00:00:00+0130"];
        let moment = format!("datetime(\"{}\")", self.choices.pick(&texts));
        match self.choices.below(4) {
            0 => format!("{moment}.toDate()"),
            1 => format!("{moment}.offset({})", self.span()),
            _ => moment,
        }
    }

    fn span(&mut self) -> String {
        let spans = ["0ms", "1d2h", "-3m4s", "9223372036854775807ms"];
        format!("duration(\"{}\")", self.choices.pick(&spans))
    }

    fn decimal(&mut self) -> String {
        let decimals = ["0.0", "1.5", "-1.50", "922337203685477.5807"];
        format!("decimal(\"{}\")", self.choices.pick(&decimals))
    }

    fn pattern(&mut self) -> String {
        self.choices.pick(&[r#""x*""#, r#""*""#, r#""x\*y""#, r#""*\*y*""#, r#""""#]).to_owned()
    }

    /// What sets are asked.
    fn of_set(&mut self) -> String {
        let set = self.set();
        match self.choices.below(8) {
            0 => format!("{set}.contains({})", self.text()),
            1 => format!("{set}.containsAll({})", self.set()),
            2 => format!("{set}.containsAny({})", self.set()),
            3 => format!("{set}.isEmpty()"),
            4 => format!("{set} == {}", self.set()),
            5 => format!("[{}, {}].contains({})", self.long(), self.long(), self.long()),
            6 => format!("[{}, {}].contains({})", self.user(), self.user(), self.user()),
            _ => format!("[[{}], {set}] == [{}]", self.text(), self.set()),
        }
    }

    fn set(&mut self) -> String {
        if self.about == About::Doc && self.choices.chance(50) {
            return "resource.tags".to_owned();
        }
        match self.choices.below(3) {
            0 => r#"["x"]"#.to_owned(),
            1 => format!("[{}, {}]", self.text(), self.text()),
            _ => format!("[{}, \"x\", {}, \"x\"]", self.text(), self.text()),
        }
    }

    fn kind(&mut self) -> String {
        match self.choices.below(5) {
            0 => "principal is User".to_owned(),
            1 => format!("resource is {}", self.choices.pick(&["Doc", "Folder"])),
            2 => "principal is Service".to_owned(),
            3 => format!("{} is Folder", self.folder()),
            _ => format!("{} is Folder in {}", self.folder(), self.folder()),
        }
    }

    fn record(&mut self) -> String {
        match self.choices.below(4) {
            0 => format!(
                "{{a: {}, b: {}}} == {{b: {}, a: {}}}",
                self.long(),
                self.folder(),
                self.folder(),
                self.long()
            ),
            1 => format!("{{a: {}, b: {}}}.a == {}", self.long(), self.text(), self.long()),
            2 => format!("{{a: {}}}.a has up", self.path(Self::folder)),
            _ => format!("{{a: {}}} has {}", self.long(), self.choices.pick(&["a", "b"])),
        }
    }

    fn text(&mut self) -> String {
        let all =
            [r#""x""#, "principal.team", "context.tenant", r#""x*y""#, r#""\"\\\n\u{301}😀""#];
        if self.about == About::Doc && self.choices.chance(40) {
            return "resource.label".to_owned();
        }
        self.choices.pick(&all).to_owned()
    }

    fn user(&mut self) -> String {
        self.choices
            .pick(&["principal", "resource.owner", r#"User::"s/a""#, r#"User::"s/b""#])
            .to_owned()
    }

    fn folder(&mut self) -> String {
        let all = [r#"Folder::"f0""#, r#"Folder::"f1""#, "principal.home", "context.about"];
        let own: &[&str] = match self.about {
            About::Doc => &["resource.folder", "resource.folder.up", r#"Folder::"f2""#],
            About::Folder => &["resource", "resource.up", "resource.up.up"],
            About::Both => &["principal.home.up", "context.about.up", r#"Folder::"f9""#],
        };
        if self.choices.chance(10) {
            let condition = self.truth();
            let (one, other) = (self.choices.pick(own), self.choices.pick(&all));
            return format!("(if {condition} then {one} else {other})");
        }
        if self.choices.chance(50) { self.choices.pick(own) } else { self.choices.pick(&all) }
            .to_owned()
    }

    /// What may lie in something.
    fn climber(&mut self) -> String {
        let all = ["resource", "principal", "resource.owner", r#"Doc::"d0""#];
        if self.choices.chance(50) { self.folder() } else { self.choices.pick(&all).to_owned() }
    }

    /// What has a level.
    fn entity(&mut self) -> String {
        if self.choices.chance(70) { self.path(Self::folder) } else { "resource.owner".to_owned() }
    }

    /// Attributes are read of variables alone.
    fn path(&mut self, value: fn(&mut Self) -> String) -> String {
        let value = value(self);
        if value.contains("::") {
            "(if context.secure then context.about else principal.home)"
        } else {
            return value;
        }
        .to_owned()
    }

    fn has(&mut self) -> String {
        if self.about == About::Doc && self.choices.chance(50) {
            return format!("(resource has note && resource.note == {})", self.text());
        }
        match self.choices.below(3) {
            0 => format!("{} has {}", self.path(Self::folder), self.choices.pick(&["up", "owner"])),
            1 => "resource has owner".to_owned(),
            _ => "context has tenant".to_owned(),
        }
    }

    fn net(&mut self) -> String {
        let all = [r#"ip("10.0.0.0/8")"#, r#"ip("::/0")"#, r#"ip("10.0.0.1")"#];
        if self.about == About::Doc && self.choices.chance(30) {
            return "resource.net".to_owned();
        }
        self.choices.pick(&all).to_owned()
    }

    /// What only a document has.
    fn of_doc(&mut self) -> String {
        if self.about != About::Doc {
            return self.compare(Self::folder, false);
        }
        let order = self.choices.pick(&["<", "<=", ">", ">=", "==", "!="]);
        match self.choices.below(6) {
            0 => "resource.open".to_owned(),
            1 => format!("resource.placed {order} resource.changed"),
            2 => format!("resource.changed {order} context.auth_time"),
            3 => format!("resource.span {order} resource.span"),
            4 => format!("resource.price {} resource.cost", self.choices.pick(&["==", "!="])),
            _ => format!("resource.net {} {}", self.choices.pick(&["==", "!="]), self.net()),
        }
    }
}
