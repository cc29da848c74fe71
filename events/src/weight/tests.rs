//! What is refused, and that nothing is which people write.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::request::{ReviewRequest, SUMMARY_MAX};

fn refused(changes: Value) -> Vec<(String, String)> {
    let mut detail = json!({"title": "T", "reviewers": [{"email": "ana@example.com"}]});
    detail.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
    let faults = ReviewRequest::parse(&detail).err().unwrap_or_default();
    faults.into_iter().map(|fault| (fault.pointer, fault.expected)).collect()
}

fn is_refused(what: &str, changes: Value, pointer: &str, limit: usize) {
    let faults = refused(changes);
    let named = |(at, expected): &(String, String)| at == pointer && expected.contains(&limit.to_string());
    assert!(faults.iter().any(named), "{what}: {faults:?}");
}

fn filled(part: &str) -> String {
    part.repeat(SUMMARY_MAX / part.len())
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!({ "a": inner }))
}

#[test]
fn markdown_that_nests_too_deep_is_refused_with_its_pointer_and_its_limit() {
    for part in [">", "> ", "+ ", "- + ", "* + ", "1. ", "1) ", "> - ", "-\t", ">\t"] {
        let mut whole = filled(part);
        whole.replace_range(whole.len() - 1.., "x");
        is_refused(part, json!({ "summary": whole }), "/summary", NESTING_MAX);
        is_refused(
            part,
            json!({"summary": format!("A paragraph.\n\n{}x", part.repeat(NESTING_MAX + 1))}),
            "/summary",
            NESTING_MAX,
        );
    }
    let deepening: String = (0..NESTING_MAX + 1).map(|depth| format!("{}- x\n", "  ".repeat(depth))).collect();
    is_refused("a list in a list", json!({"summary": deepening}), "/summary", NESTING_MAX);
    for (open, close) in
        [("*a ", " a*"), ("**a ", " a**"), ("_a ", " a_"), ("~a ", " a~"), ("*a **b ", " b** a*"), ("![a ", "](x)")]
    {
        let summary = open.repeat(NESTING_MAX + 1) + "x" + &close.repeat(NESTING_MAX + 1);
        is_refused(open, json!({"summary": summary}), "/summary", NESTING_MAX);
    }
}

#[test]
fn markdown_of_too_many_pieces_is_refused_with_its_pointer_and_its_limit() {
    for part in ["x\n\n", "# x\n", "- x\n", "a\n=\n", "*a* ", "*a*", "[](", "<a:>", "***\n", "```\n", "a\\\n", "x  \n", ">\n\n"] {
        is_refused(part, json!({ "summary": filled(part) }), "/summary", PIECES_MAX);
    }
    // Rows that leave cells out have them filled up: a short text becomes many elements.
    let table = format!("{}\n{}\n{}", "|a".repeat(400), "|-".repeat(400), "|b\n".repeat(400));
    is_refused("a table of short rows", json!({"summary": table}), "/summary", PIECES_MAX);
}

#[test]
fn a_subject_that_nests_too_deep_or_becomes_too_large_is_refused() {
    assert_eq!(refused(json!({"subject": nested(JSON_NESTING_MAX)})), []);
    is_refused("objects", json!({"subject": nested(JSON_NESTING_MAX + 1)}), "/subject", JSON_NESTING_MAX);
    // 40,000 bytes, each number on an indented line of its own.
    let wide = (0..JSON_NESTING_MAX - 2).fold(json!(vec![1; 20_000]), |inner, _| json!([inner]));
    is_refused("a wide array, deep inside", json!({"subject": {"a": wide}}), "", SHOWN_MAX);
    is_refused("cells", json!({"evidence": [{"label": "L", "table": [vec![""; CELLS_MAX + 1]]}]}), "/evidence", CELLS_MAX);
}

#[test]
fn text_alone_is_never_too_large_however_much_of_it_is_escaped() {
    for text in ["&", "<", "\"", "'", "\u{1}", "\n", "é", "😀"] {
        let most = text.repeat(190_000 / serde_json::to_string(text).expect("JSON").len().saturating_sub(2));
        assert_eq!(refused(json!({"evidence": [{"label": "L", "value": most}]})), [], "{text:?}");
        assert_eq!(refused(json!({"subject": {"a": most}})), [], "{text:?}");
        assert_eq!(markdown(&filled(text)).excess(), None, "{text:?}");
    }
}

/// What people and programs write into summaries, each as long as a summary may be.
fn ordinary() -> Vec<(&'static str, String)> {
    let long = |part: &dyn Fn(usize) -> String, lead: &str, end: &str| {
        let mut text = lead.to_owned();
        for number in 0.. {
            let next = part(number);
            if text.len() + next.len() + end.len() > SUMMARY_MAX {
                break;
            }
            text.push_str(&next);
        }
        text + end
    };
    let changelog = |number: usize| {
        format!(
            "## [2.{number}.0](https://git.example.com/compare/v2.{number}) (2026-11-24)\n\n### Bug Fixes\n\n\
             * **api:** keep `null` in _optional_ fields ([#{number}](https://git.example.com/{number})), closes [#7](https://git.example.com/7)\n\
             * **web:** wrap long titles ([a1b2c3d](https://git.example.com/c/a1b2c3d))\n  - also in lists\n    - and in these\n\n"
        )
    };
    let plan = |number: usize| {
        format!(
            "  # aws_instance.web[{number}] will be updated in-place\n  ~ resource \"aws_instance\" \"web\" {{\n        id = \"i-{number}\"\n      ~ tags = {{\n          - \"Name\" = \"old\" -> null\n          + \"Name\" = \"new_{number}\"\n        }}\n      + ebs_block_device {{\n          + volume_size = (known after apply)\n        }}\n    }}\n\n"
        )
    };
    let wide = |number: usize| (0..24).map(|column| format!("| {} ", number * column)).collect::<String>() + "|\n";
    let head = format!("{}|\n{}|\n", "| column ".repeat(24), "|---:".repeat(24));
    let code = |number: usize| {
        format!(
            "static int *next_{number}(struct node **head, char *name, int rows[][4])\n{{\n\tif (!*head || (*head)->n < {number})\n\t\treturn &rows[{number}][0] + *head->off;\n}}\n"
        )
    };
    let python = |number: usize| {
        format!(
            "    def __init__(self, *args, **kwargs):\n        super().__init__(*args, **kwargs)\n        self.__n__ = {{'a': [[{number}]]}}\n"
        )
    };
    let diff = |number: usize| {
        format!("@@ -{number},3 +{number},3 @@\n-    old = call(a, b)\n+    new = call(a, b, c)\n     kept\n- - x\n+ - y\n")
    };
    let yaml =
        |number: usize| format!("- name: step {number}\n  with:\n    - key: a\n      list:\n        - - 1\n          - 2\n");
    let json = |number: usize| {
        format!(
            "    {{\"id\": {number}, \"tags\": [\"a\", \"b\"], \"at\": \"2026-11-24T00:00:00Z\", \"x\": {{\"y\": [[1, 2]]}}}},\n"
        )
    };
    let log = |number: usize| format!("2026-11-24T00:00:{:02}Z [INFO] <main> a_b_c: key={number} * 3 | took=5ms\n", number % 60);
    let mail = |number: usize| format!("> > > On Monday Ana wrote {number}:\n> > > > > Ship it & see.\n> > Yes.\n\n");
    let xml = |number: usize| format!("  <item id=\"{number}\"><name>A &amp; B</name></item>\n");
    let prose = |number: usize| {
        format!(
            "Paragraph {number} says **one thing** and *another*; see [the page](https://a.example/{number}) or <https://b.example>.\n\n"
        )
    };
    let fence = |part: &dyn Fn(usize) -> String| long(part, "```\n", "```\n");
    vec![
        ("a changelog", long(&changelog, "# Changelog\n\n", "")),
        ("a Terraform plan", fence(&plan)),
        ("a wide table", long(&wide, &head, "")),
        ("C", fence(&code)),
        ("Python", fence(&python)),
        ("a diff", fence(&diff)),
        ("YAML", fence(&yaml)),
        ("JSON", fence(&json)),
        ("a log", fence(&log)),
        ("a log without a fence", long(&log, "", "")),
        ("a conversation", long(&mail, "", "")),
        ("XML", fence(&xml)),
        ("prose", long(&prose, "", "")),
        ("one line", "word ".repeat(SUMMARY_MAX / 5)),
        ("dividers", filled(&format!("{}\ntext of a section\n{}\n", "- ".repeat(40), "*".repeat(80)))),
    ]
}

#[test]
fn nothing_that_people_write_is_refused() {
    for (what, summary) in ordinary() {
        assert_eq!(refused(json!({"summary": summary})), [], "{what}: {:?}", markdown(&summary));
    }
    let rows: Vec<Vec<String>> = (0..1_500).map(|row| (0..10).map(|column| format!("{row}.{column}")).collect()).collect();
    assert_eq!(refused(json!({"evidence": [{"label": "Rows", "table": rows}]})), []);
    let resources: Vec<Value> = (0..300).map(|n| json!({"address": format!("aws_instance.web[{n}]"), "change": {"actions": ["update"], "before": {"tags": {"Name": "old"}}, "after": {"tags": {"Name": "new"}}, "after_unknown": {"ebs": [{"id": true}]}}})).collect();
    assert_eq!(refused(json!({"subject": {"resource_changes": resources}})), []);
}

#[test]
fn measuring_takes_linear_time() {
    // 100 times what a summary may hold, in a build without optimisation: squared, each would take minutes.
    for part in [
        ">", "- ", "+ ", "1. ", "*", "*a ", "a* ", "[", "]", "[]", "![", "`", "<", "<a:", "&", "|", "|-", "\\", "#", "_a", "~",
        "\n", " ", "\t", "- x\n", "-  -", "```\n",
    ] {
        let text = part.repeat(100 * SUMMARY_MAX / part.len() / 10);
        let begin = Instant::now();
        markdown(&text);
        assert!(begin.elapsed() < Duration::from_secs(5), "{part:?} took {:?}", begin.elapsed());
    }
}
