# Català: els textos que falten surten en anglès.

skip = Salta al contingut
nav = Pàgines
languages = Llengües
search = Cerca
nav-cities = Ciutats
nav-pilots = Pilots
nav-partnerships = Aliances
all = tots
yes = sí
no = no
not-stated = no consta
city = Ciutat
country = País
population = Població
timezone = Fus horari
website = Lloc web
figure-cities = { $count ->
    [one] ciutat
   *[other] ciutats
}
count-cities = { $count ->
    [one] { $shown } ciutat
   *[other] { $shown } ciutats
}
count-pilots = { $count ->
    [one] { $shown } pilot
   *[other] { $shown } pilots
}
chart-baseline = valor de partida
chart-target = objectiu
