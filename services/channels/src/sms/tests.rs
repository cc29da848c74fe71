use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::mail::tests::review;

const LINK: &str = "https://reviews.example.com/r/CB4-dgL0Rj-Qd2Sdm2qYQQ";

/// Written out once more, in the order of the standard's table, so that a slip in the other shows.
const ALPHABET: [&str; 8] = [
    "@£$¥èéùìòÇ\nØøÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ",
    " !\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmno",
    "pqrstuvwxyzäöñüà",
];

/// What the network does with a text: how many segments it takes.
fn segments(text: &str) -> usize {
    let (mut septets, mut plain) = (0_usize, true);
    for c in text.chars() {
        septets += match c {
            '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => 2,
            _ => 1,
        };
        plain &= "^{}\\[~]|€".contains(c) || ALPHABET.iter().any(|row| row.contains(c));
    }
    match (plain, septets, text.encode_utf16().count()) {
        (true, ..=160, _) | (false, _, ..=70) => 1,
        (true, septets, _) => septets.div_ceil(153),
        (false, _, units) => units.div_ceil(67),
    }
}

fn text(title: &str, link: &str) -> String {
    compose(&review(json!({"title": title})), false, link)
}

#[test]
fn every_alert_of_a_kind_is_as_reviewed() {
    let long = "Promote the churn model that was trained on the data of the third quarter ".repeat(20);
    let texts: Vec<String> = [
        ("plain", "Promote churn-model v42"),
        ("accents and typography", "Größe „geprüft“ – naïve Łódź → 6 % … œuvre"),
        ("extension", "[release] {a|b} ~ ^ \\ € 5"),
        ("emoji", "🚀🚀 Ship it 🎉 now 👩‍👩‍👧"),
        ("emoji alone", "🚀🎉"),
        ("very long", long.as_str()),
        ("RTL", "الرجاء مراجعة النموذج الجديد قبل نهاية الأسبوع"),
        ("RTL override", "T\u{202e}desrever\u{2066} \r\nFrom: bank"),
        ("CJK", "批准将新的客户流失预测模型部署到生产环境并通知所有相关团队"),
        ("links", "Pay at https://evil.example/login or www.evil.example or evil。example, v4.2"),
        ("combining", "Zalgo Z\u{301}\u{300}\u{302}a\u{301}lgo"),
    ]
    .into_iter()
    .flat_map(|(kind, title)| [(kind, title, false), (kind, title, true)])
    .map(|(kind, title, reminder)| {
        let text = compose(&review(json!({"title": title})), reminder, LINK);
        let again = if reminder { ", reminder" } else { "" };
        format!("{kind}{again}, {} segment\n{text}\n", segments(&text))
    })
    .collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_reminder_says_so_and_an_address_that_is_too_long_leaves_title_or_link_away() {
    let plain = review(json!({}));
    let reminder = compose(&plain, true, LINK);
    assert_eq!(reminder, format!("A review still waits for you until 24 Nov 06:10 UTC: Promote churn-model v42\n{LINK}"));

    let long = format!("https://{}.example.com/r/CB4-dgL0Rj-Qd2Sdm2qYQQ", "a".repeat(40));
    assert_eq!(text("批准将新的客户流失预测模型", &long), format!("A review waits for you until 24 Nov 06:10 UTC.\n{long}"));
    let longer = format!("https://{}.example.com/r/CB4-dgL0Rj-Qd2Sdm2qYQQ", "a".repeat(120));
    assert_eq!(text("T", &longer), "A review waits for you until 24 Nov 06:10 UTC. Sign in to see it.");
}

#[test]
fn no_alert_invites_a_reply_or_carries_a_link_that_decides() {
    for reminder in [false, true] {
        let text = compose(&review(json!({})), reminder, LINK);
        assert!(["?", "reply", "answer", "YES", "/a/"].iter().all(|word| !text.contains(word)), "{text}");
    }
}

/// Sent back as a reply, any of these ends all SMS of the account to that number (SNS developer guide, "Opting
/// out of receiving SMS messages"): whoever rejects must never be led to one.
#[test]
fn trap_no_alert_asks_for_a_reply_and_no_word_of_ours_begins_as_one_that_opts_out() {
    let long = format!("https://{}.example.com/r/CB4-dgL0Rj-Qd2Sdm2qYQQ", "a".repeat(120));
    for link in [LINK, long.as_str()] {
        for reminder in [false, true] {
            let text = compose(&review(json!({"title": "T"})), reminder, link).to_uppercase();
            let words = text.split(|c: char| !c.is_alphanumeric());
            let opts_out = |word: &str| {
                ["CANCEL", "END", "QUIT", "STOP", "REMOVE", "UNSUBSCRIBE", "OPT"].iter().any(|out| word.starts_with(out))
            };
            assert_eq!(words.into_iter().find(|word| opts_out(word)), None, "{text}");
            assert!(["REPLY", "ANSWER", "TEXT", "SEND", "RESPOND"].iter().all(|asks| !text.contains(asks)), "{text}");
        }
    }
}

fn titles() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{1,200}",
        ".{1,200}",
        "[ -~]{1,400}",
        "[\\[\\]{}|~^€\\\\]{1,200}",
        "[а-яα-ω一-龥ء-ي🀀-🿿 .]{1,200}",
        "[a-z.:/ ]{1,200}",
    ]
}

proptest! {
    #[test]
    fn every_alert_is_one_segment_that_ends_with_the_one_link(
        title in titles(), host in "[a-z0-9-]{1,60}", reminder: bool
    ) {
        let link = format!("https://{host}.example/r/CB4-dgL0Rj-Qd2Sdm2qYQQ");
        let text = compose(&review(json!({"title": title})), reminder, &link);
        prop_assert_eq!(segments(&text), 1, "{}", text);
        let before = text.strip_suffix(&link);
        prop_assert!(before.is_some_and(|before| before.ends_with('\n')), "{}", text);
        let before = before.unwrap_or_default();
        prop_assert!(!before.contains("://"), "{}", text);
        let pairs = before.chars().zip(before.chars().skip(1));
        prop_assert!(!pairs.into_iter().any(|(dot, next)| dot == '.' && next.is_alphabetic()), "{}", text);
        prop_assert_eq!(text.matches('\n').count(), 1);
    }

    #[test]
    fn no_address_of_a_service_makes_it_two(title in titles(), link in "\\PC{0,300}") {
        prop_assert_eq!(segments(&text(&title, &link)), 1);
    }
}
