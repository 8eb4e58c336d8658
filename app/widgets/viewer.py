"""A scatter in which every point shows its face: by hovering, touching, or the arrow keys."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import streamlit as st

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><style>
body {margin:0; font-family:"Source Sans Pro",sans-serif; color:INK; background:transparent}
#plot {width:100%}
#face {position:absolute; display:none; pointer-events:none; z-index:9; background:PAPER;
 color:INK; border:1px solid #8C8C8C; border-radius:8px; padding:6px; font-size:12px;
 line-height:1.35; max-width:170px}
#face canvas {width:112px; height:112px; display:block; margin:0 auto 4px}
</style></head><body>
<div id="plot" role="img" tabindex="0" aria-label="LABEL"></div>
<div id="face" role="status" aria-live="polite"><canvas width="112" height="112"></canvas>
<span></span></div>
<script>LIBRARY</script><script>
const figure=FIGURE, texts=TEXTS, across=ACROSS, side=SIDE, narrow=window.innerWidth<700;
const atlas=new Image(); atlas.src="ATLAS";
const plot=document.getElementById("plot"), face=document.getElementById("face");
const pen=face.querySelector("canvas").getContext("2d"); pen.imageSmoothingEnabled=false;
const layout=figure.layout;
if(narrow){const axes=Object.keys(layout).filter(k=>/^[xy]axis/.test(k)).sort();
 const n=axes.length/2, xs=axes.slice(0,n), ys=axes.slice(n);
 xs.forEach((k,i)=>{layout[k].domain=[0,1];});
 ys.forEach((k,i)=>{layout[k].domain=[1-(i+.93)/n,1-(i+.07)/n];});
 (layout.annotations||[]).forEach((a,i)=>{a.x=.5;a.y=1-(i+.06)/n;});
 layout.height=420*n; layout.legend.y=-.01;}
layout.font={color:"INK"};
Plotly.newPlot(plot,figure.data,layout,{responsive:true,displaylogo:false,
 toImageButtonOptions:{format:"svg",filename:"embedding"}});
let last=-1;
function show(row,x,y){last=row; face.querySelector("span").textContent=texts[row];
 pen.clearRect(0,0,112,112);
 pen.drawImage(atlas,(row%across)*side,Math.floor(row/across)*side,side,side,0,0,112,112);
 face.style.display="block"; const w=face.offsetWidth,h=face.offsetHeight;
 face.style.left=Math.max(0,Math.min(x+14,document.body.clientWidth-w-4))+"px";
 face.style.top=Math.max(0,Math.min(y+14,document.body.clientHeight-h-4))+"px";}
plot.on("plotly_hover",e=>{const p=e.points[0];
 show(p.customdata,e.event.clientX,e.event.clientY);});
plot.on("plotly_click",e=>{const p=e.points[0];
 show(p.customdata,e.event.clientX,e.event.clientY);});
plot.on("plotly_unhover",()=>{face.style.display="none";});
plot.addEventListener("keydown",e=>{
 const step={ArrowRight:1,ArrowDown:1,ArrowLeft:-1,ArrowUp:-1}[e.key];
 if(step){e.preventDefault(); show((last+step+texts.length)%texts.length,20,60);}
 if(e.key==="Escape"){face.style.display="none";}});
</script></body></html>"""


def face_scatter(figure: Any, images: np.ndarray, texts: list[str], *, label: str) -> None:
    """Show ``figure`` (customdata is the row) with ``images`` (n, H, W, C) and ``texts`` (n,)."""
    from plotly.offline import get_plotlyjs

    atlas, across = _atlas(images)
    dark = getattr(st.context.theme, "type", "light") == "dark"
    values = {
        "INK": "#FAFAFA" if dark else "#31333F",
        "PAPER": "#1b1e27" if dark else "#FFFFFF",
        "LABEL": label,
        "TEXTS": json.dumps(texts).replace("</", "<\\/"),
        "ACROSS": str(across),
        "SIDE": str(images.shape[1]),
        "ATLAS": atlas,
        "FIGURE": figure.to_json().replace("</", "<\\/"),
    }
    page = PAGE
    for name, value in values.items():
        page = page.replace(name, value)
    page = page.replace("LIBRARY", get_plotlyjs(), 1)
    st.iframe(page)  # as high as its content: panels stand on each other on a phone


def _atlas(images: np.ndarray) -> tuple[str, int]:
    """All images in one picture, as a data address, and how many stand in a row."""
    from PIL import Image

    n, height, width, channels = images.shape
    across = int(np.ceil(np.sqrt(n)))
    sheet = np.zeros((-(-n // across) * height, across * width, channels), dtype=np.uint8)
    for i, image in enumerate(images):
        y, x = i // across * height, i % across * width
        sheet[y : y + height, x : x + width] = image
    buffer = io.BytesIO()
    Image.fromarray(sheet if channels == 3 else sheet[..., 0]).save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode(), across
