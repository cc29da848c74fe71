use proptest::prelude::*;

use super::*;
use crate::ids::EMAIL_MAX;

fn typed(text: &str) -> Option<String> {
    text.parse::<PersonId>().ok().map(String::from)
}

fn refusal(text: &str) -> String {
    text.parse::<PersonId>().expect_err(text).expected.into_owned()
}

#[test]
fn every_spelling_of_a_mailbox_is_one_id() {
    for (id, spellings) in [
        ("ana@example.com", &["ana@example.com", "Ana@Example.COM", "ana@ｅxample.com", "ana@example\u{3002}com"] as &[&str]),
        (
            "ana@xn--bcher-kva.example",
            &[
                "ana@bücher.example",
                "ana@bu\u{308}cher.example",
                "ANA@BÜCHER.EXAMPLE",
                "ana@xn--bcher-kva.example",
                "ana@XN--Bcher-KVA.example",
                "ana@bücher\u{ff0e}example",
                "ana@bücher\u{ff61}example",
            ],
        ),
        ("slack:T01/U09", &["slack:T01/U09", "slack:t01/u09", "slack:T01/u09"]),
        ("o'neil!x@example.com", &["O'Neil!x@example.com"]),
    ] {
        for spelling in spellings {
            assert_eq!(typed(spelling).as_deref(), Some(id), "{spelling:?}");
        }
    }
    // Two letters of which neither is the other.
    assert_eq!(typed("ana@faß.example").as_deref(), Some("ana@xn--fa-hia.example"));
    assert_ne!(typed("ana@faß.example"), typed("ana@fass.example"));
}

#[test]
fn what_could_pass_for_somebody_else_is_refused_by_name() {
    for (text, said) in [
        ("ana\u{200b}@corp.example", "U+200B, which nobody sees"),
        ("ana\u{202e}@corp.example", "U+202E"),
        ("ana\u{ad}@corp.example", "U+00AD"),
        ("ana\u{34f}@corp.example", "U+034F"),
        ("ana@cor\u{200b}p.example", "U+200B"),
        ("ana@cor\u{ad}p.example", "U+00AD"),
        ("ana@corp.example\u{feff}", "U+FEFF"),
        ("ana@corp\u{e000}.example", "U+E000, which is for private use"),
        ("ana\u{0}@corp.example", "U+0000, a control character"),
        ("ana @corp.example", "U+0020, a space"),
        ("ana@corp.example\u{a0}", "U+00A0, a space"),
        ("<ana@corp.example>", "U+003C"),
        ("\u{212a}im@example.com", "U+212A"),
        ("\u{430}na@example.com", "U+0430"),
        ("İna@example.com", "ASCII letters alone before the @"),
        ("ana＠example.com", "an e-mail address"),
    ] {
        assert!(refusal(text).contains(said), "{text:?}: {}", refusal(text));
    }
}

#[test]
fn what_mail_cannot_reach_is_refused_in_words() {
    let long = |local: usize, label: usize| format!("{}@{}.example", "x".repeat(local), "y".repeat(label));
    let far = format!("ana@{}example", "abcdefghi.".repeat(25));
    for (text, said) in [
        ("taro..yamada@example.com", "a dot neither first, last nor twice"),
        (".ana@example.com", "a dot neither first"),
        ("ana.@example.com", "a dot neither first"),
        ("ana@x..example.com", "a domain name"),
        ("ana@.example.com", "a domain name"),
        ("ana@example.com.", "a domain name"),
        ("ana@-x.example", "a domain name"),
        ("ana@x-.example", "a domain name"),
        ("ana@x_y.example", "a domain name"),
        ("ana@xn--a.example", "a domain name"),
        ("ana@xn--bcher-kva\u{308}.example", "a domain name"),
        ("ana@10.0.0.1", "a domain name"),
        (&far, "a domain name"),
        (&long(65, 3), "64 bytes before the @"),
        (&long(3, 64), "a domain name"),
        ("ana", EXPECTED),
        ("", EXPECTED),
        ("@example.com", EXPECTED),
        ("ana@", EXPECTED),
        ("a@b@c", EXPECTED),
        ("slack:T01", EXPECTED),
        ("slack:/U", EXPECTED),
        ("slack:T01/U\u{212a}", EXPECTED),
    ] {
        assert!(refusal(text).contains(said), "{text:?}: {}", refusal(text));
    }
    assert!(typed(&long(64, 63)).is_some());
    assert!(PersonId::email("slack:T01/U02").is_err() && PersonId::email("Ana@Example.com").is_ok());
}

#[test]
fn what_is_on_record_stays_as_it_was_written_and_is_the_same_person() {
    for (old, today) in [
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@bu\u{308}cher.example", "ana@xn--bcher-kva.example"),
        ("slack:t01/u09", "slack:T01/U09"),
        ("ana@example.com", "ana@example.com"),
        ("jose\u{301}@x.example", "josé@x.example"),
        // Refused today, and nobody else's.
        ("taro..yamada@example.com", "taro..yamada@example.com"),
        ("ana\u{200b}@corp.example", "ana\u{200b}@corp.example"),
        ("ana@cor\u{ad}p.example", "ana@cor\u{ad}p.example"),
        ("ana@x_y.example", "ana@x_y.example"),
    ] {
        let id: PersonId = serde_json::from_value(old.into()).expect(old);
        assert_eq!(id.as_str(), old);
        assert_eq!(serde_json::to_value(&id).expect("a text"), old);
        assert_eq!(id.canonical().as_str(), today, "{old:?}");
    }
    for none in ["", "ana", "a@b@c", "slack:T01", "a b@c", "<a@b.c>"] {
        assert!(serde_json::from_value::<PersonId>(none.into()).is_err(), "{none:?}");
    }
    let before = |id: &str| id.parse::<PersonId>().expect(id).written_before().map(String::from);
    assert_eq!(before("ana@xn--bcher-kva.example").as_deref(), Some("ana@bücher.example"));
    assert_eq!((before("ana@example.com"), before("slack:T01/U02")), (None, None));
}

/// Texts that look like addresses: signs of many kinds, in parts of a few letters.
fn texts() -> impl Strategy<Value = String> {
    let sign = prop_oneof![
        6 => "[a-z0-9]",
        1 => "[A-Z.+_'-]",
        1 => prop::sample::select(vec!["ü", "u\u{308}", "Ü", "ß", "ς", "а", "\u{212a}", "İ", "ı", "ｋ", "㍿", "日", "א", "ع", "م"])
            .prop_map(str::to_owned),
        1 => prop::sample::select(vec!["\u{3002}", "\u{ff0e}", "\u{ff61}", ".", "xn--", "\u{ad}", "\u{200d}", "\u{301}", "\u{1fef}"])
            .prop_map(str::to_owned),
    ];
    let part = || prop::collection::vec(sign.clone(), 1..6).prop_map(|signs| signs.concat());
    (part(), part(), part()).prop_map(|(local, name, top)| format!("{local}@{name}.{top}"))
}

/// Other ways in which people and programs write the same address.
fn respelled(id: &str) -> Vec<String> {
    let (local, domain) = id.split_once('@').expect("an address");
    let letters = idna::domain_to_unicode(domain).0;
    let decomposed = icu_normalizer::DecomposingNormalizerBorrowed::new_nfd().normalize(&letters).into_owned();
    let mut spellings = vec![id.to_ascii_uppercase(), format!("{local}@{letters}"), format!("{local}@{decomposed}")];
    for dot in ['\u{3002}', '\u{ff0e}', '\u{ff61}'] {
        spellings.push(format!("{local}@{}", letters.replace('.', &dot.to_string())));
    }
    spellings.push(format!("{id}."));
    spellings
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_spelling_of_a_mailbox_gives_one_id_or_none(text in texts()) {
        if let Some(id) = typed(&text) {
            prop_assert_eq!(typed(&id), Some(id.clone()), "idempotent");
            prop_assert!(id.is_ascii() && id.len() <= EMAIL_MAX && id == id.to_ascii_lowercase());
            for spelling in respelled(&id) {
                if let Some(other) = typed(&spelling) {
                    prop_assert_eq!(&other, &id, "{:?}", spelling);
                }
            }
        }
    }

    /// What makes two mailboxes is another local part, or another domain by DNS.
    #[test]
    fn two_mailboxes_never_give_one_id(one in texts(), other in texts()) {
        if let (Some(id), Some(same)) = (typed(&one), typed(&other)) && id == same {
            let split = |text: &str| {
                let (local, domain) = text.split_once('@').expect("an address");
                (local.to_ascii_lowercase(), idna::domain_to_ascii(domain).ok())
            };
            prop_assert_eq!(split(&one), split(&other));
        }
    }

    #[test]
    fn what_an_older_version_took_is_read_and_stays_apart_from_what_is_taken_today(text in texts()) {
        let Ok(old) = PersonId::recorded(text.as_str()) else { return Ok(()) };
        prop_assert_eq!(old.as_str(), text.as_str());
        let canonical = old.canonical().into_owned();
        let again = canonical.canonical().into_owned();
        prop_assert_eq!(again.as_str(), canonical.as_str(), "idempotent");
        match typed(&text) {
            Some(id) => prop_assert_eq!(canonical.as_str(), id),
            // What is refused is nobody who could be typed.
            None => prop_assert_eq!(typed(canonical.as_str()), None, "{:?}", canonical),
        }
    }

    #[test]
    fn what_is_kept_as_it_stands_is_what_is_parsed(text in "[a-zA-Z0-9._@-]{1,20}") {
        if mailbox::is_plain(&text) {
            prop_assert_eq!(mailbox::typed(&text), Ok(text.clone()));
        }
    }
}
