// Conveniences only: every page works without this file.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const say = (text) => { byId("status").textContent = text; };
  const off = (button) => button?.getAttribute("aria-disabled") === "true";

  // A form is sent once. The lock opens again when the page is shown from the back button's cache, or was stopped.
  let pressed = null;
  const unlock = () => { pressed?.removeAttribute("aria-disabled"); pressed = null; };
  addEventListener("pageshow", unlock);
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (pressed || off(event.submitter)) return event.preventDefault();
    pressed = event.submitter ?? event.target;
    pressed.setAttribute("aria-disabled", "true");
    setTimeout(unlock, 8000);
  });

  // The country matters only to a number without its "+".
  const identifier = byId("identifier");
  const region = document.querySelector("[data-for-phones]");
  if (identifier && region) {
    const reveal = () => { region.hidden = !/^[\p{Nd}\s().-]*\p{Nd}[\p{Nd}\s().-]*$/u.test(identifier.value); };
    identifier.addEventListener("input", reveal);
    addEventListener("pageshow", reveal);
    reveal();
  }

  // A code that arrives whole (pasted, filled in, read from the SMS) is sent at once, and each code only once;
  // typing never sends.
  const code = byId("one-time-code");
  if (code) {
    const digits = code.inputMode === "numeric";
    const run = new RegExp(`(?<!\\d)\\d{${Number(code.dataset.length)}}(?!\\d)`);
    const find = (text) => digits ? text.replace(/(?<=\d)[\s\u2010-\u2015-](?=\d)/g, "").match(run)?.[0] : undefined;
    let sent = null;
    let before = code.value.length;
    const send = (value) => {
      code.value = value;
      before = value.length;
      if (value === sent) return;
      sent = value;
      say(code.dataset.checking);
      code.form.requestSubmit(byId("continue"));
    };
    code.addEventListener("paste", (event) => {
      const found = find(event.clipboardData.getData("text"));
      if (!found) return;
      event.preventDefault();
      send(found);
    });
    code.addEventListener("input", () => {
      const whole = code.value.length - before > 1;
      const found = find(code.value);
      before = code.value.length;
      if (whole && found) send(found);
    });
    if (code.dataset.channel === "sms" && "OTPCredential" in window) {
      const listening = new AbortController();
      document.addEventListener("submit", () => listening.abort());
      navigator.credentials.get({ otp: { transport: ["sms"] }, signal: listening.signal })
        .then((received) => received && send(received.code), () => {});
    }
  }

  // The server decides when another code may be asked for; this only counts. Spoken at the start and at the end.
  const wait = byId("resend-wait");
  if (wait) {
    const resend = byId("resend");
    const end = performance.now() + wait.dataset.seconds * 1000;
    const tick = () => {
      const left = Math.ceil((end - performance.now()) / 1000);
      if (left > 0) {
        const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
        wait.textContent = wait.dataset.text.replace("%time%", time);
        setTimeout(tick, 1000);
      } else {
        wait.textContent = wait.dataset.ready;
        resend.removeAttribute("aria-disabled");
        say(wait.dataset.ready);
      }
    };
    resend.setAttribute("aria-disabled", "true");
    say(wait.textContent);
    tick();
  }

  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      say(button.dataset.copied);
      button.textContent = button.dataset.copied;
    });
  }
})();
