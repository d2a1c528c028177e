// Made by bulkhead-schema from sample.json.

/// The commands of this module, in the order of its schema.
pub const COMMANDS: &[&str] = &[
    "guest-report",
    "guest-word",
    "guest-state",
    "guest-none",
    "guest-quiet",
];

/// Reports.
///
/// The second paragraph mentions `filter` and
/// breaks its lines.
///
/// Returns: everything
///
/// Since: QEMU 1.3
pub struct GuestReportArguments {
    /// what to leave out; without it
    /// everything is there
    pub filter: Option<Filter>,
    /// how to report
    pub mode: Mode,
    /// more of the same
    pub others: Vec<Filter>,
    /// long text
    pub buf_b64: bulkhead_module::Streamed,
    /// more long text
    pub spare: Option<bulkhead_module::Streamed>,
}

impl bulkhead_module::FromArguments for GuestReportArguments {
    fn from_arguments(members: &mut bulkhead_module::Members) -> Result<Self, bulkhead_module::CommandError> {
        Ok(Self {
            filter: members.optional("filter")?,
            mode: members.required("mode")?,
            others: members.required("others")?,
            buf_b64: members.required("buf-b64")?,
            spare: members.optional("spare")?,
        })
    }
}

/// Tells a word.
///
/// Returns: the word
///
/// Since: QEMU 1.4
pub struct GuestWordArguments;

impl bulkhead_module::FromArguments for GuestWordArguments {
    fn from_arguments(_members: &mut bulkhead_module::Members) -> Result<Self, bulkhead_module::CommandError> {
        Ok(Self)
    }
}

/// Tells how things are.
///
/// Returns: one entry for each
///
/// Since: QEMU 1.4
pub struct GuestStateArguments;

impl bulkhead_module::FromArguments for GuestStateArguments {
    fn from_arguments(_members: &mut bulkhead_module::Members) -> Result<Self, bulkhead_module::CommandError> {
        Ok(Self)
    }
}

/// Does nothing.
///
/// Since: QEMU 1.4
pub struct GuestNoneArguments;

impl bulkhead_module::FromArguments for GuestNoneArguments {
    fn from_arguments(_members: &mut bulkhead_module::Members) -> Result<Self, bulkhead_module::CommandError> {
        Ok(Self)
    }
}

/// Does something and does not say so.
///
/// Since: QEMU 1.4
pub struct GuestQuietArguments {
    /// at which time
    pub when: i64,
}

impl bulkhead_module::FromArguments for GuestQuietArguments {
    fn from_arguments(members: &mut bulkhead_module::Members) -> Result<Self, bulkhead_module::CommandError> {
        Ok(Self {
            when: members.required("when")?,
        })
    }
}

/// A word.
///
/// Since: QEMU 1.0
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Switch {
    /// it is on
    #[serde(rename = "on")]
    On,
    /// it will be on;
    /// later
    #[serde(rename = "not-yet")]
    NotYet,
}

impl bulkhead_module::FromJson for Switch {
    fn from_json(
        value: bulkhead_module::Json,
        at: &bulkhead_module::Path,
    ) -> Result<Self, bulkhead_module::CommandError> {
        match bulkhead_module::enum_text(value, at)?.as_str() {
            "on" => Ok(Self::On),
            "not-yet" => Ok(Self::NotYet),
            other => Err(at.bad_value(other)),
        }
    }
}

/// A word or a number.
///
/// Since: QEMU 1.1
#[derive(Debug, serde::Serialize)]
#[serde(untagged)]
pub enum Mode {
    /// the number
    Code(i64),
    /// the word
    Name(Switch),
}

impl bulkhead_module::FromJson for Mode {
    fn from_json(
        value: bulkhead_module::Json,
        at: &bulkhead_module::Path,
    ) -> Result<Self, bulkhead_module::CommandError> {
        match bulkhead_module::Kind::of(&value) {
            bulkhead_module::Kind::Int | bulkhead_module::Kind::Number => {
                bulkhead_module::FromJson::from_json(value, at).map(Self::Code)
            }
            bulkhead_module::Kind::Str => {
                bulkhead_module::FromJson::from_json(value, at).map(Self::Name)
            }
            _ => Err(at.bad_type("Mode")),
        }
    }
}

/// What to leave out.
///
/// Since: QEMU 1.2
#[derive(Debug)]
pub struct Filter {
    /// anything smaller
    pub below: Option<f64>,
    /// anything with one of these
    pub tags: Vec<String>,
    /// whether to complain
    pub strict: bool,
}

impl bulkhead_module::FromJson for Filter {
    fn from_json(
        value: bulkhead_module::Json,
        at: &bulkhead_module::Path,
    ) -> Result<Self, bulkhead_module::CommandError> {
        let mut members = bulkhead_module::Members::of(value, at)?;
        let it = Self {
            below: members.optional("below")?,
            tags: members.required("tags")?,
            strict: members.required("strict")?,
        };
        members.finish()?;
        Ok(it)
    }
}

/// One thing.
///
/// Since: QEMU 1.3
#[derive(Debug, serde::Serialize)]
pub struct Entry {
    /// which
    pub r#type: String,
    /// in bytes
    pub size: u64,
    /// a remark, see `type`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Everything.
///
/// Since: QEMU 1.3
#[derive(Debug, serde::Serialize)]
pub struct Report {
    /// the things
    pub entries: Vec<Entry>,
    /// how busy it is
    pub load: f64,
    /// how it is
    pub mode: Mode,
    /// why not
    #[serde(rename = "last-error", skip_serializing_if = "Option::is_none")]
    pub last_error: Option<i32>,
}

/// How a thing is.
///
/// Since: QEMU 1.4
#[derive(Debug, serde::Serialize)]
#[serde(tag = "kind")]
pub enum State {
    /// the thing
    #[serde(rename = "on")]
    On(Entry),
    /// it will be on;
    /// later
    #[serde(rename = "not-yet")]
    NotYet,
}
