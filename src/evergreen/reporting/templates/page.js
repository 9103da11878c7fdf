(function(){
var root=document.documentElement,all=function(what,where){return Array.from((where||document).querySelectorAll(what))};
document.getElementById("look").onclick=function(){
  var dark=root.dataset.look?root.dataset.look==="dark":matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.look=dark?"light":"dark";
  try{localStorage.setItem("evergreen-look",root.dataset.look)}catch(e){}};
var fold=document.getElementById("fold"),open=false;
fold.onclick=function(){open=!open;all("details.folded").forEach(function(d){d.open=open});fold.textContent=open?"Fold all":"Open all"};
if(!all("details.folded").length)fold.hidden=true;
var tip=document.createElement("div");tip.className="tip";tip.hidden=true;tip.setAttribute("aria-hidden","true");document.body.append(tip);
function show(mark){var box=mark.getBoundingClientRect();tip.textContent=mark.dataset.says;tip.hidden=false;
  tip.style.left=Math.max(8,Math.min(box.left+box.width/2-tip.offsetWidth/2,innerWidth-tip.offsetWidth-8))+"px";
  tip.style.top=(box.top>tip.offsetHeight+12?box.top-tip.offsetHeight-8:box.bottom+8)+"px"}
function hide(){tip.hidden=true}
all("svg").forEach(function(svg){
  var marks=all(".mark",svg);
  marks.forEach(function(mark,i){
    var title=mark.querySelector("title");mark.dataset.says=title.textContent;mark.setAttribute("aria-label",title.textContent);
    if(i)mark.setAttribute("tabindex","-1");
    mark.addEventListener("mouseenter",function(){title.textContent="";show(mark)});
    mark.addEventListener("mouseleave",function(){title.textContent=mark.dataset.says;hide()});
    mark.addEventListener("focus",function(){show(mark)});mark.addEventListener("blur",hide);
    mark.addEventListener("keydown",function(e){
      var step={ArrowRight:1,ArrowDown:1,ArrowLeft:-1,ArrowUp:-1}[e.key],to=e.key==="Home"?0:e.key==="End"?marks.length-1:step?i+step:-1;
      if(e.key==="Escape")hide();
      if(marks[to]){e.preventDefault();mark.setAttribute("tabindex","-1");marks[to].setAttribute("tabindex","0");marks[to].focus()}})})});
addEventListener("scroll",hide,{passive:true});
all(".filter").forEach(function(bar){
  var section=bar.closest("section"),name=bar.querySelector("[type=search]"),alarm=bar.querySelector("[type=checkbox]");
  function apply(){var asked=name.value.toLowerCase(),narrowed=asked||alarm.checked;
    all("[data-name]",section).forEach(function(part){
      part.hidden=part.dataset.name.toLowerCase().indexOf(asked)<0||(alarm.checked&&!("alarm" in part.dataset))});
    if(narrowed)all("details.folded",section).forEach(function(d){d.open=true})}
  name.oninput=alarm.onchange=apply});
var opened=[];
addEventListener("beforeprint",function(){opened=all("details.folded:not([open])");opened.forEach(function(d){d.open=true})});
addEventListener("afterprint",function(){opened.forEach(function(d){d.open=false})});
})();
