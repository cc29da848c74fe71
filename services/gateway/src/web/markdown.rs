//! Markdown from strangers: formatting, links and tables; no HTML of theirs, nothing fetched.

use std::{borrow::Cow, collections::HashSet};

use maud::{Markup, PreEscaped};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};

/// Renders markdown. HTML in it is shown as text, an image is kept only when it is part of the text
/// itself (a `data:` URI), and what is left goes through an HTML sanitiser.
pub(super) fn render(markdown: &str) -> Markup {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut html = String::with_capacity(markdown.len() * 3 / 2);
    push_html(&mut html, tame(Parser::new_ext(markdown, options)).into_iter());
    let clean = ammonia::Builder::default()
        .link_rel(Some("noopener noreferrer nofollow"))
        .url_schemes(HashSet::from(["https", "http", "mailto", "data"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .attribute_filter(|element, attribute, value| {
            let is_data = value.trim_start().get(..5).is_some_and(|start| start.eq_ignore_ascii_case("data:"));
            match (element, attribute) {
                ("img", "src") => is_image(value).then_some(Cow::Borrowed(value)),
                _ if is_data => None,
                _ => Some(Cow::Borrowed(value)),
            }
        })
        .clean(&html);
    PreEscaped(clean.to_string())
}

/// Whether this is an image that carries its own bytes.
pub(crate) fn is_image(url: &str) -> bool {
    ["png", "jpeg", "gif", "webp", "svg+xml"].iter().any(|kind| url.starts_with(&format!("data:image/{kind};base64,")))
}

/// Turns HTML into text, images from elsewhere into their description, and headings into ones that
/// fit below the page's own.
fn tame<'a>(parser: impl Iterator<Item = Event<'a>>) -> Vec<Event<'a>> {
    let mut kept = Vec::new();
    let mut events = Vec::new();
    for event in parser {
        match event {
            Event::Html(text) | Event::InlineHtml(text) => events.push(Event::Text(text)),
            Event::Start(Tag::HtmlBlock) => events.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => events.push(Event::End(TagEnd::Paragraph)),
            Event::Start(Tag::Image { ref dest_url, .. }) => {
                kept.push(is_image(dest_url));
                events.extend(is_image(dest_url).then_some(event));
            }
            Event::End(TagEnd::Image) => events.extend(kept.pop().unwrap_or(false).then_some(event)),
            Event::Start(Tag::Heading { level, .. }) => {
                events.push(Event::Start(Tag::Heading { level: lower(level), id: None, classes: Vec::new(), attrs: Vec::new() }));
            }
            Event::End(TagEnd::Heading(level)) => events.push(Event::End(TagEnd::Heading(lower(level)))),
            other => events.push(other),
        }
    }
    events
}

fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn hostile_markdown_is_neutralised() {
        for hostile in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<svg/onload=alert(1)>",
            "[click](javascript:alert(1))",
            "[click](JaVaScRiPt&#58;alert(1))",
            "[click](data:text/html;base64,PHNjcmlwdD4=)",
            "[click](//evil.example/x)",
            "![pixel](https://evil.example/pixel.png)",
            "![pixel](data:text/html;base64,PHNjcmlwdD4=)",
            "<form action=https://evil.example><input name=csrf>",
            "<style>*{display:none}</style>",
            "<a href=https://x.example style=position:fixed>x</a>",
            "[x](https://x.example \"\" onmouseover=alert(1))",
            "<!-- --><iframe src=https://evil.example></iframe>",
        ] {
            let html = render(hostile).into_string();
            let tags: Vec<&str> = html.split('<').skip(1).collect();
            for bad in ["script", "img", "svg", "form", "input", "style", "iframe"] {
                assert!(!tags.iter().any(|tag| tag.starts_with(bad)), "{hostile}: {html}");
            }
            for bad in ["javascript:", "href=\"data:", "href=\"//", "src=\"", " onerror=\"", " style=\""] {
                assert!(!html.to_lowercase().contains(bad), "{hostile}: {html}");
            }
        }
    }

    #[test]
    fn formatting_links_tables_and_images_of_their_own_stay() {
        let html =
            render("# Head\n\n**bold** [more](https://x.example)\n\n|a|b|\n|-|-|\n|1|2|\n\n![plot](data:image/png;base64,AAAA)")
                .into_string();
        assert!(
            html.contains("<h3>Head</h3>") && html.contains("<strong>bold</strong>") && html.contains("<td>1</td>"),
            "{html}"
        );
        assert!(html.contains(r#"<a href="https://x.example" rel="noopener noreferrer nofollow">more</a>"#), "{html}");
        assert!(html.contains(r#"src="data:image/png;base64,AAAA""#), "{html}");
        assert!(render("before ![the plot](https://x.example/p.png) after").into_string().contains("before the plot after"));
    }
}
