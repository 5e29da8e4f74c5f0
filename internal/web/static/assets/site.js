// What the pages do beyond links and forms: the theme switch, the search key and copying. All of it is extra.
(function () {
  'use strict'
  var root = document.documentElement
  var say = document.getElementById('say')
  var order = ['', 'light', 'dark']
  var names = { '': 'as the system', light: 'light', dark: 'dark' }

  function nameSwitch() {
    document.querySelectorAll('[data-theme-switch]').forEach(function (b) {
      b.setAttribute('aria-label', 'Theme: ' + names[root.dataset.theme || ''])
    })
  }

  function switchTheme() {
    var next = order[(order.indexOf(root.dataset.theme || '') + 1) % order.length]
    if (next) root.dataset.theme = next
    else delete root.dataset.theme
    try {
      if (next) localStorage.setItem('theme', next)
      else localStorage.removeItem('theme')
    } catch (e) { /* it holds for this page */ }
    nameSwitch()
    if (say) say.textContent = 'Theme: ' + names[next]
  }

  function put(text) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text)
    var area = document.createElement('textarea')
    area.value = text
    area.setAttribute('readonly', '')
    area.className = 'sr-only'
    document.body.appendChild(area)
    area.select()
    var done = document.execCommand('copy')
    area.remove()
    return done ? Promise.resolve() : Promise.reject(new Error('copying is not allowed'))
  }

  function copy(button) {
    var from = button.parentElement.querySelector('code')
    put(from.dataset.copy || from.textContent).then(function () {
      button.dataset.copied = ''
      if (say) say.textContent = 'Copied'
      setTimeout(function () { delete button.dataset.copied; if (say) say.textContent = '' }, 2000)
    }, function () {
      if (say) say.textContent = 'It could not be copied; select the text instead'
    })
  }

  document.addEventListener('click', function (e) {
    var button = e.target.closest('button')
    if (!button) return
    if ('themeSwitch' in button.dataset) switchTheme()
    else if ('copyButton' in button.dataset) copy(button)
  })

  document.addEventListener('keydown', function (e) {
    if (e.key !== '/' || e.ctrlKey || e.metaKey || e.altKey) return
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) || e.target.isContentEditable) return
    var field = document.querySelector('.top input[type=search]') || document.querySelector('main input[type=search]')
    if (!field) return
    e.preventDefault()
    field.focus()
    field.select()
  })

  // the address of a tool opens it
  function openTarget() {
    var target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)))
    if (target && target.tagName === 'DETAILS') target.open = true
  }

  window.addEventListener('hashchange', openTarget)
  openTarget()
  nameSwitch()
})()
