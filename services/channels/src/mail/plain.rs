//! A summary's markdown as plain text: what a reader without its formatting should see.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// The words; beside those of a link, where it leads, so that they hide nothing. HTML stays as it was
/// written: as text it does nothing.
pub(super) fn plain(markdown: &str) -> String {
    let mut plain = String::with_capacity(markdown.len());
    let mut links = Vec::new();
    for event in Parser::new(markdown) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => plain.push_str(&text),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => links.push((dest_url, plain.len())),
            Event::End(TagEnd::Link | TagEnd::Image) => {
                if let Some((url, from)) = links.pop()
                    && plain.get(from..) != Some(&*url)
                {
                    plain.push_str(&format!(" ({url})"));
                }
            }
            Event::Start(Tag::Item) => plain.push_str(" • "),
            Event::SoftBreak
            | Event::HardBreak
            | Event::Rule
            | Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::CodeBlock | TagEnd::HtmlBlock) => {
                plain.push(' ');
            }
            _ => {}
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn formatting_goes_and_every_word_and_target_stays() {
        for (markdown, expected) in [
            ("More than **6 %** of `rows`\nare _flagged_.", "More than 6 % of rows are flagged."),
            ("# Why\n\n- one\n- two\n\n---\nend", "Why • one • two end"),
            ("[Approve](https://evil.example) <https://a.example>", "Approve (https://evil.example) https://a.example"),
            ("![alt](https://a.example/i.png)", "alt (https://a.example/i.png)"),
            ("a <b>bold</b> & <style>*{}</style>", "a <b>bold</b> & <style>*{}</style>"),
            ("<script>\nalert(1)\n</script>", "<script> alert(1) </script>"),
            ("```\ncode\n```\nafter", "code after"),
            ("2 * 3 * 4 and a_b_c", "2 * 3 * 4 and a_b_c"),
        ] {
            assert_eq!(plain(markdown), expected, "{markdown}");
        }
    }
}
