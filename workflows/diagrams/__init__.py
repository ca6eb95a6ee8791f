"""What draws diagrams: the chart of a graph, its layout in layers, and the texts of Mermaid and SVG."""
