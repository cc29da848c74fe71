"""Sessions and links that end, and what a service is started with."""

import re

import pytest

from processes import http

ANA = "ana@example.com"
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


def enter(session, service, link: str):
    """Opens a sign-in link and presses its button."""
    page = session.get(link, timeout=10)
    fields = {"key": link.split("key=")[1].split("&")[0], "go": "in"}
    if token := CSRF.search(page.text):
        fields["csrf"] = token.group(1)
    return session.post(f"{service.url}/signin", data=fields, timeout=10, allow_redirects=False)


def is_in(session, service) -> bool:
    return "/signout" in session.get(f"{service.url}/", timeout=10).text


def person_link(service) -> str:
    session = http()
    token = CSRF.search(session.get(f"{service.url}/signin", timeout=10).text).group(1)
    session.post(f"{service.url}/signin/mail", data={"email": ANA, "csrf": token}, timeout=10)
    return service.person_link(ANA)


@pytest.mark.parametrize("who", ["operator", "person"])
def test_a_cookie_that_was_copied_is_worth_nothing_once_its_owner_signed_out(service, who):
    service.ask("T", reviewers=[{"email": ANA}])
    owner, thief, other = http(), http(), http()
    assert enter(owner, service, service.signin_link() if who == "operator" else person_link(service)).status_code == 303
    assert enter(other, service, service.signin_link()).status_code == 303
    thief.cookies.update(owner.cookies.get_dict())
    assert is_in(owner, service) and is_in(thief, service)
    token = CSRF.search(owner.get(f"{service.url}/", timeout=10).text).group(1)
    assert owner.post(f"{service.url}/signout", data={"csrf": token}, timeout=10, allow_redirects=False).status_code == 303
    assert not is_in(thief, service) and is_in(other, service)
    # Nor with a form that it had before, nor after a restart.
    assert thief.post(f"{service.url}/signout", data={"csrf": token}, timeout=10).status_code == 403
    service.restart()
    assert not is_in(thief, service) and is_in(other, service)


def test_the_operators_link_works_once_also_after_a_restart_and_the_command_line_makes_another(service):
    printed = service.printed_link()
    assert enter(http(), service, printed).status_code == 303
    for _ in range(2):
        again = enter(http(), service, printed)
        assert (again.status_code, "countersign_session" in again.headers.get("set-cookie", "")) == (403, False)
        service.restart()
    made = service.run("signin")
    assert made.returncode == 0 and made.stdout.startswith(f"{service.url}/signin?key="), made
    assert "once, until" in made.stderr
    assert enter(http(), service, made.stdout.strip()).status_code == 303
    assert enter(http(), service, made.stdout.strip()).status_code == 403


def test_no_integration_signs_in_as_the_operator(service):
    scopes = ["reviews:request", "reviews:read", "votes:cast", "directory:read", "directory:write", "operate"]
    body = {"name": "all", "scopes": scopes, "acts_as": {"email": ANA}}
    token = service.post("/api/v1/integrations", body).json()["token"]
    answer = http().post(f"{service.url}/api/v1/sign-in-links", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert (answer.status_code, "signin?key" in answer.text) == (403, False)


# What a service is started with


def refused(service, *options: str) -> str:
    done = service.run("serve", "--data", str(service.folder / "another"), "--listen", "127.0.0.1:0", *options)
    assert done.returncode != 0, options
    return done.stderr


@pytest.mark.parametrize(
    "url, why",
    [
        ("http://127.0.0.1:8787/approvals", "no path"),
        ("reviews.example.com", "begins with https://"),
        ("https://reviews.example.com?x=1", "no query"),
        ("https://reviews.example.com/#x", "no query"),
        ("https://ana:secret@reviews.example.com", "no user"),
        ("https://", "names a host"),
        ("https://reviews.example.com:0", "a port is a number"),
        ("https://bücher.example", "xn--"),
    ],
)
def test_an_address_that_links_could_not_be_made_of_is_refused_at_the_start(service, url, why):
    said = refused(service, "--base-url", url)
    assert why in said and "write it like https://reviews.example.com" in said, said


def test_an_address_is_known_however_it_is_written(start_service):
    service = start_service("--base-url", "HTTPS://Reviews.Example.COM:443/")
    assert service.printed_link().startswith("https://reviews.example.com/signin?key=")
    answer = http().get(f"{service.url}/", headers={"Host": "reviews.example.com"}, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("option", ["--dev", "--demo"])
@pytest.mark.parametrize("url", ["https://reviews.example.com", "http://reviews.example.com", "https://localhost"])
def test_development_mode_starts_under_no_address_that_others_come_by(service, option, url):
    assert "for this machine only" in refused(service, option, "--base-url", url)


def tries(service, count: int, forwarded: str) -> list[int]:
    headers = {"X-Forwarded-For": forwarded, "Host": "reviews.example.com"}
    return [http().get(f"{service.url}/a/guess{number}", headers=headers, timeout=10).status_code for number in range(count)]


def test_who_asks_is_whom_a_proxy_of_ours_saw_and_no_other_word_of_it_counts(start_service):
    base = ["--base-url", "https://reviews.example.com"]
    behind = start_service(*base, "--trusted-proxy", "127.0.0.0/8")
    assert tries(behind, 21, "198.51.100.1") == [404] * 20 + [429]
    assert tries(behind, 1, "198.51.100.2") == [404], "another client"
    elsewhere = start_service(*base, "--trusted-proxy", "10.0.3.7")
    assert tries(elsewhere, 20, "198.51.100.1") == [404] * 20
    assert tries(elsewhere, 1, "198.51.100.2") == [429], "this machine is no proxy of it"
    assert "write an address or a range" in refused(elsewhere, "--trusted-proxy", "proxy.example.com")


def test_nothing_is_sent_over_the_network_in_plain_text(service):
    for url in ("http://reviews.example.com", "http://192.0.2.1:8787", "http://127.0.0.1@192.0.2.1"):
        done = service.run("reviews", "--url", url)
        assert (done.returncode, "the operator's key over the network in plain text" in done.stderr) == (2, True), done


def test_files_of_windows_programs_are_read_or_named(service, tmp_path):
    review = '{"title": "From Windows", "reviewers": [{"email": "ana@example.com"}]}'
    directory = '[[people]]\nemail = "ana@example.com"\nname = "Ana"\n'
    for name, text, command in [("review.json", review, ["request"]), ("people.toml", directory, ["directory", "apply"])]:
        file = tmp_path / name
        file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
        done = service.run(*command, str(file))
        assert done.returncode == 0, done
        done = service.run(*command, "-", given="\ufeff" + text)
        assert done.returncode == 0, done
        for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
            file.write_bytes(text.encode(encoding))
            done = service.run(*command, str(file))
            assert done.returncode == 2 and "UTF-16; save it as UTF-8" in done.stderr, (encoding, done)
