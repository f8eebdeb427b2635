// Sends the answer on; without this file there is the button. Plain enough for the simplest script engine.
"use strict";
window.addEventListener("load", function () {
  document.getElementById("response").submit();
});
