import { Gauge } from "./gauge.jsx";

// Rendered on the server. Only the gauge needs the browser.
export default function Page() {
  return (
    <>
      <header>
        <p className="brand">Tide gauge</p>
        <p className="soft">Open this page twice.</p>
      </header>
      <main>
        <Gauge />
      </main>
    </>
  );
}
