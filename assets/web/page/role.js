// Who only looks sees no button that would be refused (look.css), and reads in the header who may change things, in the place of
// the name that would stand beside marks.
studio.role = (context) =>
  studio.mount(context, (value) => {
    const says = value?.says || '';
    document.body.classList.toggle('st-looks', Boolean(says));
    document.querySelector('.st-role')?.remove();
    if (!says) return;
    const line = studio.h('span', 'st-role', says);
    line.title = says;
    line.setAttribute('role', 'status');
    document.querySelector('.st-theme')?.before(line);
  });
