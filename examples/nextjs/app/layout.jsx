import "../../shared/style.css";

export const metadata = { title: "Tide gauge" };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body className="page">{children}</body>
    </html>
  );
}
