"""The web's side of endpoints: exchange, access, cookies, forms, headers, and the one place that renders errors."""
