//! Markdown from strangers: formatting, links and tables; no HTML of theirs, nothing fetched.

use std::{borrow::Cow, collections::HashSet};

use events::weight;
use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};

use super::rendered::RENDERED;

/// The deepest that elements may be nested in what is sanitised: twice [`weight::NESTING_MAX`] for lists and their
/// items, as much for styles, and a table.
const DEPTH_MAX: usize = 128;
/// The most elements, where the measure at the door counted fewer.
const ELEMENTS_MAX: usize = 2 * weight::PIECES_MAX;
/// The most characters of one text, and of one address, that the sanitiser writes in a way of their own: for each it
/// looks through the rest of the text.
const SPECIAL_MAX: usize = 200;

/// Renders markdown, once for each text. HTML in it is shown as text, an image is kept only when it is part of the
/// text itself (a `data:` URI), and what is left goes through an HTML sanitiser. A text beyond the budget is shown as
/// it was written.
pub fn render(markdown: &str) -> Markup {
    PreEscaped(RENDERED.of(markdown, made).to_string())
}

fn made(markdown: &str) -> String {
    let formatted = match weight::markdown(markdown).excess() {
        Some(_) => None,
        None => tame(Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)),
    };
    let Some(events) = formatted else { return as_written(markdown).into_string() };
    let mut html = String::with_capacity(markdown.len() * 3 / 2);
    push_html(&mut html, events.into_iter());
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
    clean.to_string()
}

/// What takes too long to format loses its formatting and no word.
fn as_written(markdown: &str) -> Markup {
    html! {
        p.muted { "This text has too many parts, or parts nested too deep, to be formatted. It is shown as it was written." }
        pre.value dir="auto" tabindex="0" role="region" aria-label="The text as it was written" { (markdown) }
    }
}

/// Whether this is an image that carries its own bytes.
pub(crate) fn is_image(url: &str) -> bool {
    let bytes =
        ["png", "jpeg", "gif", "webp", "svg+xml"].iter().find_map(|kind| url.strip_prefix(&format!("data:image/{kind};base64,")));
    bytes.is_some_and(|bytes| bytes.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')))
}

/// Turns HTML into text, images from elsewhere into their description, and headings into ones that fit below the
/// page's own; `None` beyond the budget.
fn tame<'a>(parser: impl Iterator<Item = Event<'a>>) -> Option<Vec<Event<'a>>> {
    let mut tamed = Tamed::default();
    for event in parser {
        match event {
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => tamed.text(&text),
            Event::Code(text) => {
                tamed.tag(Event::InlineHtml("<code>".into()));
                tamed.text(&text);
                tamed.tag(Event::InlineHtml("</code>".into()));
            }
            Event::Start(tag) => tamed.start(tag),
            Event::End(tag) => tamed.end(tag),
            other => tamed.events.push(other),
        }
        if tamed.depth > DEPTH_MAX || tamed.elements > ELEMENTS_MAX {
            return None;
        }
    }
    Some(tamed.events)
}

#[derive(Default)]
struct Tamed<'a> {
    events: Vec<Event<'a>>,
    /// Of the links and images that are open, whether they are kept.
    kept: Vec<bool>,
    depth: usize,
    elements: usize,
    /// How many special characters stand in the text since the last tag.
    special: usize,
}

impl<'a> Tamed<'a> {
    fn start(&mut self, tag: Tag<'a>) {
        self.depth += 1;
        let tag = match tag {
            Tag::HtmlBlock => Tag::Paragraph,
            Tag::Heading { level, .. } => Tag::Heading { level: lower(level), id: None, classes: Vec::new(), attrs: Vec::new() },
            Tag::Image { ref dest_url, .. } if !self.keeps(is_image(dest_url)) => return,
            Tag::Link { ref dest_url, .. } if !self.keeps(special(dest_url) <= SPECIAL_MAX) => return,
            Tag::Image { link_type, dest_url, title, id } => Tag::Image { link_type, dest_url, title: light(title), id },
            Tag::Link { link_type, dest_url, title, id } => Tag::Link { link_type, dest_url, title: light(title), id },
            other => other,
        };
        self.tag(Event::Start(tag));
    }

    fn end(&mut self, tag: TagEnd) {
        self.depth = self.depth.saturating_sub(1);
        let tag = match tag {
            TagEnd::HtmlBlock => TagEnd::Paragraph,
            TagEnd::Heading(level) => TagEnd::Heading(lower(level)),
            TagEnd::Image | TagEnd::Link if !self.kept.pop().unwrap_or(false) => return,
            other => other,
        };
        self.tag(Event::End(tag));
    }

    fn keeps(&mut self, keeps: bool) -> bool {
        self.kept.push(keeps);
        keeps
    }

    fn tag(&mut self, event: Event<'a>) {
        self.special = 0;
        self.elements += 1;
        self.events.push(event);
    }

    /// A text, with an empty element of ours behind every so many special characters.
    fn text(&mut self, text: &str) {
        let mut begin = 0;
        for (at, c) in text.char_indices().filter(|(_, c)| is_special(*c)) {
            self.special += 1;
            if self.special > SPECIAL_MAX {
                let end = at + c.len_utf8();
                self.events.push(Event::Text(text[begin..end].to_owned().into()));
                self.events.push(Event::InlineHtml("<span></span>".into()));
                (begin, self.special) = (end, 0);
            }
        }
        self.events.push(Event::Text(text[begin..].to_owned().into()));
    }
}

/// What the sanitiser stops at when it writes a text: `&`, and the first byte of what UTF-8 writes as 0xC2.
fn is_special(c: char) -> bool {
    matches!(c, '&' | '\u{80}'..='\u{BF}')
}

fn special(text: &str) -> usize {
    text.chars().filter(|c| is_special(*c)).count()
}

fn light(title: CowStr<'_>) -> CowStr<'_> {
    if special(&title) <= SPECIAL_MAX { title } else { "".into() }
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
    use super::{render, *};

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

    /// The largest text of this that a request may have; the whole of it where nothing limits it.
    fn largest(part: &str) -> String {
        let whole = events::request::SUMMARY_MAX / part.len();
        let fits = |count: &usize| weight::markdown(&part.repeat(*count)).excess().is_none();
        let (mut fit, mut too_many) = (0, whole + 1);
        while too_many - fit > 1 {
            let middle = usize::midpoint(fit, too_many);
            if fits(&middle) { fit = middle } else { too_many = middle }
        }
        part.repeat(fit)
    }

    #[test]
    fn the_heaviest_text_of_each_kind_that_is_accepted_becomes_a_page_in_a_moment() {
        let deep = ">".repeat(weight::NESTING_MAX);
        let short_rows =
            |cells: usize| format!("{}\n{}\n{}", "|a".repeat(cells), "|-".repeat(cells), "|b\n".repeat(9_000 / cells));
        let mut texts: Vec<String> = [
            ">",
            "*",
            "_",
            "[",
            "![",
            "`",
            "``` `",
            "&",
            "<",
            "|",
            "\\",
            "#",
            "\"",
            "~",
            "]",
            ":",
            "!",
            "\u{0}",
            "\u{a7}",
            "\u{a0}",
            "- ",
            "- x\n",
            "1. x\n",
            "# x\n",
            "x\n\n",
            "x\n",
            "a\n=\n",
            "*a* ",
            "*a",
            "*a**",
            "**a_ ",
            "a**b",
            "~~a~~ ",
            "&#x",
            "&a;",
            "&copy;",
            "&amp;",
            "<b>",
            "<a:b>",
            "<a@b.c>",
            "<!--",
            "<?",
            "<div>\n",
            "[]()",
            "[a](b)",
            "![a](b)",
            "[a][b]",
            "[a]: /u\n",
            "[a](<b",
            "```\n",
            "    x\n",
            "a\\\n",
            "a  \n",
            "***\n",
            "> x\n\n",
            "> - x\n\n",
            "- > x\n\n",
            "|a|\n|-|\n",
            "- x\n\n  y\n\n",
            "x",
            "\t",
            "[^a]",
            "[^a]: x\n",
        ]
        .map(largest)
        .into();
        texts.extend([
            largest(&format!("{deep}x\n\n")),
            largest(&format!("{deep}x\n")),
            format!("{deep}x\n{}", "x\n".repeat(24_000)),
            largest(&format!("{}x\n\n", "- ".repeat(weight::NESTING_MAX))),
            format!("{}x\n{}", "- ".repeat(weight::NESTING_MAX), "x\n".repeat(24_000)),
            short_rows(10),
            short_rows(90),
            short_rows(900),
            format!("[a](http://b/?{})", "&".repeat(49_000)),
            format!("[a](b \"{}\")", "&".repeat(49_000)),
            format!("![a](data:image/png;base64,{})", "&".repeat(49_000)),
            format!("[a]: <{}>\n\n{}", "&".repeat(20_000), "[a] ".repeat(7_000)),
        ]);
        for text in texts {
            let begin = std::time::Instant::now();
            let html = made(&text);
            let (took, start) = (begin.elapsed(), text.chars().take(40).collect::<String>());
            // A generous ceiling: unoptimised, on a busy machine. What takes time by the square takes many seconds.
            assert!(took < std::time::Duration::from_millis(1_500), "{start:?}: {took:?}");
            assert!(html.len() <= weight::SHOWN_MAX, "{start:?}: {} bytes", html.len());
            eprintln!("{:>6} {:>8} {:>5} ms {start:?}", text.len(), html.len(), took.as_millis());
        }
    }

    #[test]
    fn a_text_beyond_the_budget_loses_its_formatting_and_no_word() {
        // Accepted before there were limits.
        for old in [">".repeat(49_000) + "deep <b>", "- ".repeat(20_000) + "x\n" + &"x\n".repeat(3_000), "x\n\n".repeat(16_000)] {
            let begin = std::time::Instant::now();
            let html = made(&old);
            assert!(begin.elapsed() < std::time::Duration::from_secs(1), "{:?}", begin.elapsed());
            assert!(html.contains("It is shown as it was written"), "{html:.200}");
            let escaped = old.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            assert!(html.contains(&escaped));
        }
    }

    #[test]
    fn a_text_with_many_special_characters_is_the_same_to_its_reader() {
        for text in ["a & b § c < d > é\n".repeat(500), "`& §` ".repeat(500), format!("```\n{}\n```", "& §".repeat(500))] {
            let html = made(&text);
            let parts: Vec<&str> = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
            let words = parts.join("").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            assert_eq!(words.trim(), text.trim().replace("```\n", "").replace("```", "").replace('`', "").trim(), "{html:.300}");
        }
    }
}
