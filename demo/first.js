/** Before anything else is here: whoever has no login in this browser sees at once what the page is for. */

const known = Object.keys(localStorage).some((name) => /^sb-.+-auth-token$/.test(name));
// What a fragment brings is said beside the form, and nothing may move for it.
if (!known && location.hash === "") {
  document.getElementById("loading").hidden = true;
  document.getElementById("welcome").hidden = false;
}
