//! The texts of pages by language, in the files of Fluent beside this one. English has them all; where another language
//! lacks one, English stands in for it.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use crate::charts::Words;
use crate::values::labels;

labels! {
    /// A language of the pages.
    Language {
        /// English
        English = "en",
        /// Korean
        Korean = "ko",
        /// Spanish
        Spanish = "es",
        /// Catalan
        Catalan = "ca",
    }
}

impl Language {
    /// Its name in itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Korean => "한국어",
            Self::Spanish => "Español",
            Self::Catalan => "Català",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::English => include_str!("texts/en.ftl"),
            Self::Korean => include_str!("texts/ko.ftl"),
            Self::Spanish => include_str!("texts/es.ftl"),
            Self::Catalan => include_str!("texts/ca.ftl"),
        }
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        static BUNDLES: LazyLock<Vec<FluentBundle<FluentResource>>> =
            LazyLock::new(|| Language::ALL.iter().map(|language| made(*language)).collect());
        let place = Self::ALL.iter().position(|one| *one == self).unwrap_or_default();
        &BUNDLES[place]
    }
}

fn made(language: Language) -> FluentBundle<FluentResource> {
    let tag = language.label().parse().expect("labels of languages are tags");
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // No marks of direction round what is put into a text: none of these languages needs them.
    bundle.set_use_isolating(false);
    let texts = FluentResource::try_new(language.source().to_owned()).expect("a test reads every file of texts");
    bundle.add_resource_overriding(texts);
    bundle
}

/// The texts in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Texts {
    /// The language.
    pub language: Language,
}

impl Texts {
    /// Those of a language.
    pub fn of(language: Language) -> Self {
        Self { language }
    }

    /// A text.
    pub fn say(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// A text about so many.
    pub fn count(&self, key: &str, count: i64) -> String {
        let mut values = FluentArgs::new();
        values.set("count", FluentValue::from(count));
        values.set("shown", self.number(count));
        self.format(key, Some(&values))
    }

    /// A text about something with a name.
    pub fn name(&self, key: &str, name: &str) -> String {
        let mut values = FluentArgs::new();
        values.set("name", name.to_owned());
        self.format(key, Some(&values))
    }

    /// A text about two things with names.
    pub fn names(&self, key: &str, name: &str, other: &str) -> String {
        let mut values = FluentArgs::new();
        values.set("name", name.to_owned());
        values.set("other", other.to_owned());
        self.format(key, Some(&values))
    }

    /// What a value of a closed list is called.
    pub fn label(&self, list: &str, value: &str) -> String {
        self.say(&format!("{list}-{}", value.replace('_', "-")))
    }

    fn format(&self, key: &str, values: Option<&FluentArgs>) -> String {
        for language in [self.language, Language::English] {
            let bundle = language.bundle();
            if let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) {
                return bundle.format_pattern(pattern, values, &mut vec![]).into_owned();
            }
        }
        key.to_owned()
    }

    /// A whole number, with thousands apart.
    pub fn number(&self, number: i64) -> String {
        self.decimal(&number.to_string())
    }

    /// An exact decimal in canonical form, as it is written in this language.
    pub fn decimal(&self, canonical: &str) -> String {
        let (between, point) = match self.language {
            Language::English | Language::Korean => (',', '.'),
            Language::Spanish | Language::Catalan => ('.', ','),
        };
        let (sign, digits) = canonical.strip_prefix('-').map_or(("", canonical), |digits| ("−", digits));
        let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
        let mut text = sign.to_owned();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place) % 3 == 0 {
                text.push(between);
            }
            text.push(digit);
        }
        if !rest.is_empty() {
            text.push(point);
            text.push_str(rest);
        }
        text
    }

    /// The address of a page in this language.
    pub fn link(&self, path: &str) -> String {
        self.link_in(self.language, path)
    }

    /// The address of a page in another language.
    pub fn link_in(&self, language: Language, path: &str) -> String {
        if language == Language::English || path.starts_with("/v1/") || path.starts_with("/docs") {
            return path.to_owned();
        }
        let sign = if path.contains('?') { '&' } else { '?' };
        format!("{path}{sign}lang={language}")
    }

    /// The words of charts.
    pub fn of_charts(&self) -> Words {
        Words {
            baseline: self.say("chart-baseline"),
            target: self.say("chart-target"),
            provisional: self.say("chart-provisional"),
            open: self.say("chart-open"),
            cut: self.say("chart-cut"),
            nothing: self.say("chart-nothing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::catalogue::applicability::Verdict;
    use crate::catalogue::pilots::PilotStatus;
    use crate::catalogue::search::Facet;
    use crate::cooperation::activities::ActivityKind;
    use crate::cooperation::agreements::{AgreementKind, AgreementStatus};
    use crate::cooperation::initiatives::InitiativeKind;
    use crate::cooperation::partnerships::PartnershipStatus;
    use crate::cooperation::stages::Stage;
    use crate::database::search::Searchable;
    use crate::hosting::hostings::HostingKind;
    use crate::hosting::lifecycle::HostingStatus;
    use crate::outcomes::evaluations::{Decision, EvaluationKind, LessonKind};
    use crate::outcomes::progress::{ProgressReason, ProgressStatus};

    fn keys_of(language: Language) -> BTreeSet<String> {
        let is_key = |line: &&str| line.starts_with(|first: char| first.is_ascii_lowercase()) && line.contains(" =");
        let lines = language.source().lines().filter(is_key);
        lines.filter_map(|line| Some(line.split_once(" =")?.0.to_owned())).collect()
    }

    /// The keys that code and templates name, as `say("…")` and the like.
    fn named(folder: &Path, keys: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named(&path, keys);
            } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "html") {
                let text = std::fs::read_to_string(&path).unwrap();
                for call in ["say(\"", "count(\"", "name(\"", "names(\""] {
                    let rests = text.split(call).skip(1);
                    keys.extend(rests.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
                }
            }
        }
    }

    fn of_lists() -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        macro_rules! lists {
            ($($list:literal: $kind:ty),* $(,)?) => {$(
                keys.extend(<$kind>::ALL.iter().map(|one| format!("{}-{}", $list, one.label().replace('_', "-"))));
            )*};
        }
        lists!(
            "hosting-status": HostingStatus, "hosting-kind": HostingKind, "pilot-status": PilotStatus,
            "verdict": Verdict, "stage": Stage, "initiative-kind": InitiativeKind,
            "partnership-status": PartnershipStatus, "agreement-kind": AgreementKind,
            "agreement-status": AgreementStatus, "activity-kind": ActivityKind, "decision": Decision,
            "evaluation-kind": EvaluationKind, "lesson": LessonKind,
            "progress": ProgressStatus, "no-progress": ProgressReason, "collection": Searchable, "facet": Facet,
        );
        keys
    }

    #[test]
    fn english_has_every_text_that_is_named_and_no_other() {
        let mut wanted = of_lists();
        named(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages"), &mut wanted);
        wanted.retain(|key| !key.contains('…') && !key.contains('{'));
        let english = keys_of(Language::English);
        assert_eq!(wanted.difference(&english).collect::<Vec<_>>(), Vec::<&String>::new(), "missing in en.ftl");
        assert_eq!(english.difference(&wanted).collect::<Vec<_>>(), Vec::<&String>::new(), "nobody says these");
    }

    #[test]
    fn other_languages_have_texts_that_english_has_and_fall_back_for_the_others() {
        let english = keys_of(Language::English);
        for language in Language::ALL {
            assert!(FluentResource::try_new(language.source().to_owned()).is_ok(), "{language}");
            let keys = keys_of(*language);
            assert_eq!(keys.difference(&english).collect::<Vec<_>>(), Vec::<&String>::new(), "{language}");
            for key in &english {
                let is_there = [*language, Language::English].iter().any(|one| one.bundle().has_message(key));
                assert!(is_there, "{language}: {key}");
            }
        }
    }

    #[test]
    fn numbers_are_written_as_the_language_writes_them() {
        for (language, number, decimal) in
            [(Language::English, "12,345", "−1,234.5"), (Language::Spanish, "12.345", "−1.234,5")]
        {
            let texts = Texts::of(language);
            assert_eq!((texts.number(12_345).as_str(), texts.decimal("-1234.5").as_str()), (number, decimal));
        }
    }
}
