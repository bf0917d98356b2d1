import "../look/base.css";

import { mount } from "svelte";

import { preferences } from "../words/preferences.svelte.js";
import App from "./App.svelte";

preferences.show();
mount(App, { target: document.body });
