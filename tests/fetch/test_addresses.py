"""Which URLs and addresses a fetch may lead to: the whole corpus of tricks, judged without any network."""

import ipaddress

import pytest

from watchword.fetch.addresses import FetchRefused, Target, choose_addresses, is_public, parse_target

SITE = Target("https", "site.example", 443, "/")

ODD_URLS = [
    pytest.param("http://site.example/", id="plain http"),
    pytest.param("ftp://site.example/", id="another scheme"),
    pytest.param("file:///etc/passwd", id="a file"),
    pytest.param("gopher://site.example/", id="gopher"),
    pytest.param("//site.example/", id="no scheme"),
    pytest.param("site.example", id="no URL"),
    pytest.param("", id="nothing"),
    pytest.param("https://", id="no host"),
    pytest.param("https:///path", id="an empty host"),
    pytest.param("https:site.example", id="no slashes"),
    pytest.param("https://user@site.example/", id="a user"),
    pytest.param("https://user:password@site.example/", id="a user with a password"),
    pytest.param("https://site.example@169.254.169.254/", id="a host that is a user"),
    pytest.param("https://169.254.169.254\\@site.example/", id="a backslash"),
    pytest.param("https://site.example#@169.254.169.254/", id="a fragment in the authority"),
    pytest.param("https://site.example/#fragment", id="a fragment"),
    pytest.param("https://site.example:22/", id="the port of SSH"),
    pytest.param("https://site.example:6379/", id="the port of Redis"),
    pytest.param("https://site.example:80/", id="the port of http"),
    pytest.param("https://site.example:0/", id="port zero"),
    pytest.param("https://site.example:0443/", id="a port with a leading zero"),
    pytest.param("https://site.example:65979/", id="a port that wraps around"),
    pytest.param("https://site.example:/", id="an empty port"),
    pytest.param("https://site.example./", id="the root of names"),
    pytest.param("https://site..example/", id="an empty label"),
    pytest.param("https://127.1/", id="two numbers"),
    pytest.param("https://0/", id="zero"),
    pytest.param("https://2130706433/", id="decimal"),
    pytest.param("https://0177.0.0.1/", id="octal"),
    pytest.param("https://0x7f.0.0.1/", id="hexadecimal in part"),
    pytest.param("https://0x7f000001/", id="hexadecimal"),
    pytest.param("https://0x/", id="hexadecimal nothing"),
    pytest.param("https://127.0.0.0x1/", id="hexadecimal at the end"),
    pytest.param("https://127.0.0.1.5/", id="five numbers"),
    pytest.param("https://256.1.1.1/", id="a number too large"),
    pytest.param("https://site.1/", id="a name that ends in a number"),
    pytest.param("https://[fe80::1%25eth0]/", id="a zone"),
    pytest.param("https://[::1/", id="an open bracket"),
    pytest.param("https://[127.0.0.1]/", id="IPv4 in brackets"),
    pytest.param("https://::1/", id="IPv6 without brackets"),
    pytest.param("https://127。0。0。1/", id="dots of another script"),
    pytest.param("https://①②⑦.0.0.1/", id="digits of another script"),
    pytest.param("https://lo\u00adcalhost/", id="a soft hyphen"),
    pytest.param("https://site.example/a b", id="a blank"),
    pytest.param("https://site.example/\r\nHost: inside", id="a line break"),
    pytest.param("https://site.example/\x00", id="a NUL"),
    pytest.param("https://site.example/é", id="not ASCII"),
    pytest.param("https://site.example\t/", id="a tab"),
    pytest.param(" https://site.example/", id="a blank before"),
    pytest.param("https://site.example/\n", id="a line feed at the end"),
    pytest.param("https://site.example/" + "a" * 2048, id="too long"),
    pytest.param("https://" + "a" * 64 + ".example/", id="a label too long"),
    pytest.param("https://" + "a." * 127 + "example/", id="a name too long"),
    pytest.param("https://%31%32%37.0.0.1/", id="an encoded host"),
]


@pytest.mark.parametrize("url", ODD_URLS)
def test_a_url_of_an_odd_form_is_refused_before_anything_is_resolved(url: str) -> None:
    with pytest.raises(FetchRefused):
        parse_target(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("https://site.example", "site.example", 443, "/", "site.example"),
        ("HTTPS://Site.Example/Keys?a=b", "site.example", 443, "/Keys?a=b", "site.example"),
        ("https://site.example?a", "site.example", 443, "/?a", "site.example"),
        ("https://site.example:8443/", "site.example", 8443, "/", "site.example:8443"),
        ("https://93.184.216.34/", "93.184.216.34", 443, "/", "93.184.216.34"),
        ("https://[2606:2800:0::1]:8443/", "2606:2800::1", 8443, "/", "[2606:2800::1]:8443"),
        ("https://xn--bcher-kva.example/%C3%A9", "xn--bcher-kva.example", 443, "/%C3%A9", "xn--bcher-kva.example"),
    ],
)
def test_a_plain_url_is_taken_apart(url: str, host: str, port: int, path: str, authority: str) -> None:
    target = parse_target(url)
    assert (target.host, target.port, target.path, target.authority) == (host, port, path, authority)


INSIDE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1",
    "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::2", "::127.0.0.1", "::a9fe:a9fe", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1", "64:ff9b:1::1",
    "64:ff9b:1::5db8:d822", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1",
    "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "2002:a00:1::", "3fff::1", "4000::1",
    "5f00::1", "fc00::1", "fd00:ec2::254", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip
OUTSIDE = [
    "1.1.1.1", "93.184.216.34", "168.63.129.17", "223.255.255.254", "2606:2800::1", "2a00:1450::1",
    "::ffff:93.184.216.34", "64:ff9b::93.184.216.34", "2002:5db8:d822::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_of_the_inside_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(FetchRefused):
        choose_addresses(SITE, [address], loopback=False)


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
    assert choose_addresses(SITE, [address], loopback=False) == [ipaddress.ip_address(address)]


@pytest.mark.parametrize("inside", ["10.0.0.1", "::1", "169.254.169.254", "::ffff:10.0.0.1"])
def test_one_address_of_the_inside_refuses_all_of_a_host(inside: str) -> None:
    for found in (["1.1.1.1", inside], [inside, "1.1.1.1"]):
        with pytest.raises(FetchRefused):
            choose_addresses(SITE, found, loopback=False)


def test_a_host_without_an_address_is_refused_in_the_same_words_as_one_of_the_inside() -> None:
    said = set()
    for found in ([], ["10.0.0.1"], ["1.1.1.1", "127.0.0.1"]):
        with pytest.raises(FetchRefused) as refused:
            choose_addresses(SITE, found, loopback=False)
        said.add(str(refused.value))
    assert len(said) == 1
    assert not any(character.isdigit() for character in said.pop())


def test_each_address_is_kept_once_and_in_order() -> None:
    found = ["2606:2800::1", "93.184.216.34", "2606:2800::1"]
    assert [str(each) for each in choose_addresses(SITE, found, loopback=False)] == ["2606:2800::1", "93.184.216.34"]


def test_the_switch_for_loopback_opens_loopback_and_nothing_else() -> None:
    for url in ("http://127.0.0.1:8080/", "http://localhost/", "https://[::1]:9443/"):
        target = parse_target(url, loopback=True)
        for address in ("127.0.0.1", "127.0.0.2", "::1"):
            assert choose_addresses(target, [address], loopback=True)
        for address in ("10.0.0.1", "169.254.169.254", "fe80::1", "0.0.0.0", "::", "1.1.1.1"):
            with pytest.raises(FetchRefused):
                choose_addresses(target, [address], loopback=True)
    assert choose_addresses(SITE, ["1.1.1.1"], loopback=True)
