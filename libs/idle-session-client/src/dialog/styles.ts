// In em of the browser's own font size, since an app may have set its root's; in system colours, since those follow the
// page's colour scheme and are opaque, which the cover has to be. Nothing moves. Where the dialog has to scroll, there is
// room for the ring around the button in focus. React hides what waits for its data by display: none !important:
// with the dialog open in there, the page would stand still and show nothing.
export const STYLES = `
:host { all: initial; color-scheme: inherit; display: inline !important }
dialog {
  box-sizing: border-box; inline-size: 29em; max-inline-size: calc(100vw - 1em);
  max-block-size: calc(100dvh - 1em);
  padding: clamp(.75em, 6vmin, 2em); pointer-events: auto; box-shadow: 0 1em 3em #0004
}
dialog, #reminder {
  font: 1em/1.4 var(--idle-session-font, system-ui, sans-serif); overflow-wrap: break-word;
  color: var(--idle-session-text, CanvasText); background: var(--idle-session-surface, Canvas);
  border: 1px solid #8888; border-radius: var(--idle-session-radius, .75em)
}
dialog::backdrop { background: #000a }
.cover::backdrop { background: Canvas }
.asking { opacity: 0 }
h2, p { margin: 0 0 .5em; text-wrap: balance }
h2 { font-size: 1.4em; line-height: 1.25 }
#counter { font-size: 1.25em; font-weight: 700; font-variant-numeric: tabular-nums }
slot + #counter:not([hidden]) { display: block }
#message { padding-inline-start: .75em; border-inline-start: .25em solid #d92d20; font-weight: 600 }
#spoken, #counter + #time { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
div { display: flex; flex-wrap: wrap; gap: .75em; margin-block-start: clamp(.75em, 4vmin, 1.5em) }
button {
  flex: auto; min-block-size: 44px; padding: .5em 1em; font: inherit; font-weight: 600; cursor: pointer;
  color: inherit; background: none; border: 1px solid; scroll-margin: .5em; border-radius: calc(var(--idle-session-radius, .75em) * .7)
}
#stay { color: var(--idle-session-on-accent, Canvas); background: var(--idle-session-accent, CanvasText) }
button:focus { outline: 3px solid var(--idle-session-accent, CanvasText); outline-offset: 2px }
[aria-disabled=true] { opacity: .7; cursor: progress }
#reminder {
  position: fixed; inset-block-end: .5em; inset-inline-end: .5em; margin: 0; padding: .25em .75em; z-index: 2147483647;
  font-variant-numeric: tabular-nums; pointer-events: none
}
::slotted([slot=unlock]) { margin-block: .5em }
@media (max-height: 24em) {
  h2 { font-size: 1.15em }
  button { padding-inline: .6em }
}
@media (forced-colors: active) {
  #stay { color: ButtonText; background: ButtonFace }
}
`;

/** For the page itself, as long as the dialog is open. */
export const STANDSTILL = `html { overflow: hidden !important }`;

/** And as long as the page is covered: paper knows no layers, and what is opened later lies above. */
export const CONCEALMENT = `
@media print { body { display: none !important } }
body :not(idle-session-dialog, idle-session-dialog *, dialog:modal, dialog:modal *) { visibility: hidden !important }
dialog:modal { visibility: visible }
`;

/** For the page itself, as long as the reminder is in its corner: nothing in focus lies below it. */
export const ROOM = `html { scroll-padding-block-end: 3em }`;
