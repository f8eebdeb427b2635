// Goes on once every application was told, or after five seconds; without this file there are the link and a refresh.
"use strict";
(function () {
  var gone = false;
  function goOn() {
    if (gone) return;
    gone = true;
    window.location.replace(document.getElementById("continue").href);
  }
  window.addEventListener("load", goOn);
  window.setTimeout(goOn, 5000);
})();
