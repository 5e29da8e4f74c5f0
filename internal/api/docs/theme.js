"use strict";
// The theme that a person chose on the pages of the hub; without one the system decides.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch { /* storage is switched off */ }
