import { Gauge } from "./gauge.jsx";

// Rendered on the server. Only the gauge needs the browser.
export default function Page() {
  return (
    <>
      <header>
        <p className="brand">Tide gauge</p>
      </header>
      <main>
        <Gauge />
      </main>
      <footer className="soft">Open this page twice.</footer>
    </>
  );
}
