import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { chain } from "./chain/chain.svelte";
import { prefs } from "./lib/prefs.svelte";
import { router } from "./lib/route.svelte";

prefs.applyTheme();
router.start();
const target = document.getElementById("app");
if (target) mount(App, { target });
void prefs.load().then(() => chain.start());
