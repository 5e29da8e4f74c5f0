// Runs before the page is drawn: the theme a person chose, and that scripts run at all.
(function () {
  var root = document.documentElement
  root.classList.add('js')
  var chosen = null
  try { chosen = localStorage.getItem('theme') } catch (e) { /* storage is switched off: the system decides */ }
  if (chosen === 'light' || chosen === 'dark') root.dataset.theme = chosen
})()
