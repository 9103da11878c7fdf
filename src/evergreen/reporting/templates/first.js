(function(){var root=document.documentElement;root.classList.add("js");
try{var kept=localStorage.getItem("evergreen-look");if(kept)root.dataset.look=kept}catch(e){}})();
