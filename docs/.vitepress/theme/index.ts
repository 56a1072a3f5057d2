import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import Comparison from "./Comparison.vue";
import Issues from "./Issues.vue";
import LiveDemo from "./LiveDemo.vue";
import "./style.css";

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component("Comparison", Comparison);
    app.component("Issues", Issues);
    app.component("LiveDemo", LiveDemo);
  },
} satisfies Theme;
