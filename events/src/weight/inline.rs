//! Styles, code and links inside a paragraph: how many there may be, and how deep they are nested.

/// What is known of a paragraph once it has ended.
pub(super) struct Marks {
    pub(super) nested: usize,
}

/// The marks that wait for what closes them, over all lines of a paragraph.
#[derive(Default)]
pub(super) struct Inline {
    open: Vec<Open>,
    /// How many marks of each kind are open, so that a closing one without a partner costs nothing.
    waiting: [usize; KINDS],
    nested: usize,
}

struct Open {
    kind: usize,
    /// How deep what stands inside it is nested so far.
    inside: usize,
}

/// `*`, `_`, `~` and `[`.
const KINDS: usize = 4;
const BRACKET: usize = 3;

impl Inline {
    /// Reads a line; gives the number of pieces that it may hold.
    pub(super) fn line(&mut self, line: &[u8]) -> usize {
        let (mut at, mut pieces, mut ticks) = (0, 0, 0_usize);
        while let Some(&byte) = line.get(at) {
            let before = at.checked_sub(1).and_then(|before| line.get(before));
            match byte {
                // What it escapes; it escapes no letter.
                b'\\' if line.get(at + 1).is_some_and(u8::is_ascii_punctuation) => at += 1,
                b'*' | b'_' | b'~' => {
                    let run = line[at..].iter().take_while(|other| **other == byte).count();
                    let after = line.get(at + run);
                    let (opens, closes) = (!is_blank(after), !is_blank(before));
                    // snake_case is no style.
                    let inside_word = byte == b'_' && is_word(before) && is_word(after);
                    if !inside_word {
                        pieces += self.run(kind(byte), run, opens, closes);
                    }
                    at += run - 1;
                }
                b'[' => self.push(BRACKET),
                b']' => {
                    // A link, or the name of one that is defined elsewhere.
                    pieces += usize::from(self.close(BRACKET));
                }
                b'<' => pieces += usize::from(is_address(&line[at + 1..])),
                b'`' if before != Some(&b'`') => ticks += 1,
                _ => {}
            }
            at += 1;
        }
        pieces + ticks / 2
    }

    /// The paragraph is over: what is open stays text.
    pub(super) fn end(&mut self) -> Marks {
        while let Some(open) = self.open.pop() {
            self.lift(open.inside);
        }
        self.waiting = [0; KINDS];
        Marks { nested: std::mem::take(&mut self.nested) }
    }

    /// A run of the same mark; each of them may be a style of its own.
    fn run(&mut self, kind: usize, length: usize, opens: bool, closes: bool) -> usize {
        let closed = if closes { (0..length).take_while(|_| self.close(kind)).count() } else { 0 };
        if opens {
            (closed..length).for_each(|_| self.push(kind));
        }
        closed
    }

    fn push(&mut self, kind: usize) {
        self.open.push(Open { kind, inside: 0 });
        self.waiting[kind] += 1;
    }

    /// Closes the last open mark of this kind, if there is one. What was opened since stays text.
    fn close(&mut self, kind: usize) -> bool {
        if self.waiting[kind] == 0 {
            return false;
        }
        while let Some(open) = self.open.pop() {
            self.waiting[open.kind] -= 1;
            if open.kind == kind {
                self.lift(open.inside + 1);
                return true;
            }
            self.lift(open.inside);
        }
        false
    }

    /// Something so deep stands inside of what is open now.
    fn lift(&mut self, depth: usize) {
        match self.open.last_mut() {
            Some(around) => around.inside = around.inside.max(depth),
            None => self.nested = self.nested.max(depth),
        }
    }
}

fn kind(mark: u8) -> usize {
    match mark {
        b'*' => 0,
        b'_' => 1,
        _ => 2,
    }
}

fn is_blank(byte: Option<&u8>) -> bool {
    byte.is_none_or(u8::is_ascii_whitespace)
}

fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
}

/// Whether this, behind `<`, may be an address that becomes a link.
fn is_address(rest: &[u8]) -> bool {
    let inside = rest.iter().take_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'<' | b'>'));
    let (mut length, mut has_sign) = (0, false);
    for byte in inside {
        length += 1;
        has_sign |= matches!(byte, b':' | b'@');
    }
    has_sign && rest.get(length) == Some(&b'>')
}
