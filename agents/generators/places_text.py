"""The words of domains: places and nature. :mod:`.domains` says how to read them."""
# ruff: noqa: E501  (one line a column, however long)

PLACES = """
country|countries|country|name country country_name
c capital|capital,capital city|@place|@ with the capital {v}
c continent region|continent,part of the world|Africa/Europe/Asia/South America/North America/Oceania|@ in {v}~@ of {v}~{a} @~@ that are(is) in {v}~@ that lie(s) in {v}~@ located in {v}
n area_km2 area surface_km2|area,surface area,size,land area|large,big,vast/small,tiny,little|500,9000000
n population inhabitants people|population,number of inhabitants,number of people,inhabitants,people|populous,populated/populous,populated|9000,900000000
l languages official_languages language|official languages,languages,language|French/Spanish/English/Arabic/Portuguese/German/Russian/Swahili/Dutch/Italian/Malay/Chinese/Hindi/Greek/Turkish/Persian/Hausa/Quechua/Romanian|@ that speak(s) {v}~{v}-speaking @~{v} speaking @~@ where {v} is spoken~@ where people speak {v}~@ with {v} as an official language~@ where {v} is an official language~@ that have(has) {v} as official language~@ whose official language is {v}
c currency_name currency|currency,money|Euro/United States dollar/Swiss franc/West African franc/Danish krone/Japanese yen/Russian ruble/Indian rupee/Mexican peso/Chilean peso/Pound sterling/Australian dollar/Turkish lira/Kenyan shilling|@ that use(s) the {v}~@ using the {v}~@ that pay(s) with the {v}~@ where you pay with the {v}~@ with the {v} as currency~@ on the {v}~@ whose currency is the {v}~@ that have(has) the {v}~@ where the {v} is used
c currency currency_code|currency code,code of the currency|EUR/USD/CHF/XOF/DKK/JPY/RUB/INR/MXN/GBP/AUD/TRY/KES|@ that use(s) {v}~@ with currency {v}~@ with the currency code {v}~@ that pay(s) in {v}
c driving_side drives_on|driving side,side of the road|left/right|@ that drive(s) on the {v}~@ where people drive on the {v}~@ where you drive on the {v}~@ where traffic drives on the {v}~@ driving on the {v}~{v}-hand driving @~@ where cars keep {v}~@ that keep(s) to the {v}
c iso2 code|two-letter code,ISO code,country code|@code2|@ with the code {v}
c iso3 alpha3 long_code|three-letter code,ISO alpha-3 code|@code3|@ with the three-letter code {v}
n neighbours_count land_neighbours borders|number of neighbours,number of land borders|-/-|0,14
n population_year census_year|year of the population figure,year of the census|-/-|2015,2024
n gdp_billion gdp|GDP,economy|rich,wealthy/poor|1,20000
n independence_year independent_since|year of independence|young/old|1500,2010
c landlocked|landlocked|no/yes|landlocked @
r borders|neighbours,neighbouring countries,neighbors,land neighbours,bordering countries|border(s) {v},share(s) a border with {v},neighbour(s) {v},are(is) next to {v},touch(es) {v},adjoin(s) {v},have(has) a border with {v}|sym|6
r speaks|languages,official languages,language,official language|speak(s) {v},have(has) {v} as an official language,use(s) {v} officially|French/Spanish/English/Arabic/Portuguese/German/Russian/Swahili/Dutch/Italian/Malay/Greek|3
r pays with|currency,money|use(s) the {v},pay(s) with the {v}|Euro/dollar/franc/krone/yen/ruble/rupee/peso/pound/lira|1
r lies in|continent,part of the world,region|lie(s) in {v},are(is) in {v},are(is) located in {v}|Africa/Europe/Asia/South America/North America/Oceania/Western Europe/Eastern Africa/Southern Asia/Central America/Northern Europe/Caribbean|2
r capital|capital,capital city|have(has) {v} as capital|@place|1
r drives on|driving side,side of the road|drive(s) on the {v}|left/right|1

city|cities|place|name city town
c country nation|country|@country|@ in {v}~@ of {v}~@ located in {v}
n population inhabitants residents|population,number of residents,inhabitants|large,big,populous/small|4000,20000000
n founded founded_year|year of foundation,founding year|young,new/old,ancient|900,1990
n elevation_m altitude_m|elevation,altitude|high/low|0,3900
l districts boroughs|districts|@place|@ with the district {v}
r twinned with|twin towns,sister cities|are(is) twinned with {v}|sym|3
r mayor|mayor|are(is) led by {v}|@person|1

river|rivers|thing|name river
n length_km length|length|long/short|20,7000
n discharge flow_m3|discharge,flow|powerful/weak|1,90000
c country crosses|country|@country|@ in {v}~@ of {v}~@ that run(s) through {v}
l regions provinces|regions|@place|@ that cross(es) {v}~@ through {v}
c source rises_in|source|@place|@ rising in {v}~@ that rise(s) in {v}
r flows into|mouth,outflow|flow(s) into {v},end(s) in {v},join(s) {v}|self|1
r crosses|towns,cities on its way|cross(es) {v},pass(es) through {v}|@place|3

mountain|mountains|thing|name mountain peak
n height_m elevation height|height,elevation,altitude|high,tall/low|300,8800
c range massif|range|@thing|@ in the {v}~@ of the {v}~{v} @
c country|country|@country|@ in {v}~@ of {v}
n first_climbed year_climbed|year of the first ascent|-/-|1780,1990
c rock|rock|granite/limestone/basalt/gneiss/slate|{v} @~@ of {v}~@ made of {v}
r visible from|viewpoints|are(is) visible from {v}|self|3
r climbed by|climbers,first climbers|were(was) climbed by {v}|@person|2

planet|planets|thing|name planet world
n mass_earths mass|mass|heavy,massive/light|1,900
n moons moon_count|moons,number of moons|-/-|0,80
n distance_ly distance|distance|distant,far/near,close|1,900
c star orbits|star|@thing|@ of the star {v}~@ around {v}~@ orbiting {v}~@ that circle(s) {v}
c type kind|type|gas giant/rocky/icy/ocean|{v} @~@ of the {v} type
n year_days orbit_days|orbital period,length of the year|-/-|1,9000
l gases atmosphere|gases|methane/nitrogen/oxygen/hydrogen/helium/argon|@ with {v} in the air~@ that contain(s) {v}
r discovered by|discoverers,discoverer|were(was) discovered by {v}|@person|2
r visited by|probes|were(was) visited by {v}|@thing|2

animal|animals|thing|name species animal
n weight_kg weight|weight|heavy/light|1,5000
n lifespan_years lifespan|lifespan,life span|-/-|1,120
n speed_kmh top_speed|speed,top speed|fast,quick/slow|1,110
c habitat lives_in|habitat|forest/desert/ocean/savanna/tundra/swamp|@ in the {v}~@ living in the {v}~@ that live(s) in the {v}~{v} @
c diet|diet|plants/meat/insects/fish/fruit|@ that eat(s) {v}~@ feeding on {v}
c class|class|mammal/bird/reptile/amphibian|@ of the {v} class~@ that are(is) a {v}
r preys on|prey|prey(s) on {v},hunt(s) {v},eat(s) {v}|self|3
r related to|relatives|are(is) related to {v}|sym|2

plant|plants|thing|name plant
n height_cm height|height|tall,high/short,small|5,900
n water_ml water_per_week|water needs,water need|thirsty/dry|20,3000
c family|family|rose/mint/daisy/lily/palm/fern|@ of the {v} family~{v} family @
c light sun|light|shade/full sun/half shade|@ for {v}~@ that like(s) {v}
l colours flower_colours|flower colours|red/white/yellow/violet/pink/orange|@ with {v} flowers~@ that flower in {v}
r grows beside|companions,companion plants|grow(s) well beside {v}|sym|3
r native to|homes,home|are(is) native to {v},come(s) from {v}|@country|2

clinic|clinics|thing|name clinic hospital
n beds bed_count|beds,number of beds|large,big/small|10,1500
c city town|city,town|@place|@ in {v}~{v} @
n doctors staff|doctors,number of doctors|-/-|3,400
n wait_days waiting_days|waiting time,wait|-/-|1,120
l departments specialties|departments,specialties|cardiology/surgery/oncology/paediatrics/radiology|@ with {v}~@ that offer(s) {v}
r refers to|partners|refer(s) patients to {v}|self|2
r run by|director,head|are(is) run by {v}|@person|1

school|schools|thing|name school
n pupils students|pupils,students,number of pupils|large,big/small|40,2500
n teachers|teachers,number of teachers|-/-|4,160
c district town|district,town|@place|@ in {v}~{v} @
c level type|level|primary/secondary/vocational|{v} @
l languages taught|languages|French/Spanish/Latin/German/Japanese|@ that teach(es) {v}~@ offering {v}
r headed by|head,head teacher|are(is) headed by {v}|@person|1
r partner of|partner schools|are(is) a partner of {v}|sym|3

museum|museums|thing|name museum
n visitors visitors_per_year|visitors,number of visitors|popular,visited/quiet|900,9000000
n opened year_opened|opening year,year of opening|new,young/old|1750,2020
c city town|city|@place|@ in {v}
n ticket_eur ticket price|ticket price,price|expensive/cheap|0,35
c theme subject|theme|art/science/war/nature/music/ships|{v} @~@ about {v}
r shows|painters,artists|show(s) {v},exhibit(s) {v}|@person|3
r lends to|borrowers|lend(s) works to {v}|self|2

restaurant|restaurants|thing|name restaurant
c cuisine food|cuisine,food|Italian/Indian/Mexican/Thai/French/Greek/Korean|{v} @~@ that serve(s) {v} food
c area quarter district|area,quarter|@place|@ in {v}
n price average_bill|price,average bill|expensive,pricey/cheap|8,180
n seats capacity|seats,number of seats|large,big/small|8,300
n stars rating|stars,rating|good/bad|1,5
r cook|cook,chef|are(is) cooked for by {v}|@person|1
r near|places nearby,neighbours|are(is) near {v}|sym|3

hotel|hotels|thing|name hotel
c city town resort|city,town|@place|@ in {v}~{v} @
n rooms room_count|rooms,number of rooms|large,big/small|6,900
n price_per_night price|price,price per night,rate|expensive/cheap|25,900
n stars|stars|luxurious/simple|1,5
c pool|pool|yes/no|@ with a pool
l services amenities|services|sauna/parking/bar/laundry/shuttle/gym|@ with {v}~@ that offer(s) {v}
r owned by|owner|are(is) owned by {v},belong(s) to {v}|@person|1
r opposite|buildings opposite|are(is) opposite {v}|sym|1

team|teams|thing|name team club
c league division|league|Premier/First/Second/Northern/Coastal|@ in the {v} league~{v} league @
n wins victories|wins,victories,number of wins|successful,strong/weak|0,38
n goals scored|goals,number of goals|-/-|5,120
n founded|founding year,year of foundation|young/old|1860,2010
c city home|city,home city|@place|@ from {v}~@ of {v}~@ based in {v}
n stadium_capacity capacity|stadium capacity,capacity|-/-|2000,99000
r coached by|coach,trainer|are(is) coached by {v}|@person|1
r beat|beaten opponents,opponents|beat {v},won against {v}|self|3

bridge|bridges|thing|name bridge
n length_m length|length|long/short|10,9000
n height_m height|height|high/low|3,340
n opened year_opened|opening year|new,recent/old|1500,2022
c material|material|steel/stone/wood/concrete/iron|{v} @~@ made of {v}~@ built of {v}
c river crosses|river|@thing|@ over {v}~@ across {v}~@ that cross(es) {v}
r built by|builders,engineers|were(was) built by {v}|@person|2
r links|towns,places|link(s) {v}|@place|2

island|islands|thing|name island
n area_km2 area|area,size|large,big/small,tiny|1,700000
n population inhabitants|population,inhabitants|populous,populated/populous|0,90000000
c ocean sea|ocean,sea|Atlantic/Pacific/Indian Ocean/Baltic Sea/Red Sea|@ in the {v}
c owner belongs_to country|country,owner|@country|@ of {v}~@ that belong(s) to {v}
n highest_point_m peak|highest point|high,hilly/flat,low|2,4000
r ferry to|islands reached by ferry,ferry links|have(has) a ferry to {v}|sym|3
r discovered by|discoverer|were(was) discovered by {v}|@person|1

lake|lakes|thing|name lake
n depth_m depth|depth|deep/shallow|2,1600
n area_km2 area|area,surface|large,big/small|1,80000
c country|country|@country|@ in {v}~@ of {v}
c water kind|water|salt/fresh|{v} water @
l fish|fish|trout/pike/carp/perch/eel|@ with {v}~@ where {v} live
r fed by|feeding rivers,feeders|are(is) fed by {v}|@thing|3
r drains into|outlet|drain(s) into {v}|self|1

volcano|volcanoes|thing|name volcano
n height_m elevation|height,elevation|high,tall/low|200,6800
n last_eruption erupted|year of the last eruption,last eruption|-/-|1300,2023
c country|country|@country|@ in {v}~@ of {v}
c type|type|shield/caldera/cone/dome|{v} @~@ of the {v} type
c active|active|yes/no|active @
r near|nearby towns,towns nearby|are(is) near {v},threaten(s) {v}|@place|3
r studied by|researchers|are(is) studied by {v}|@person|2

farm|farms|thing|name farm
n hectares area_ha|hectares,area|large,big/small|2,4000
n cows cattle|cows,number of cows|-/-|0,900
c county region|county,region|@place|@ in {v}~{v} @
l crops grows|crops|wheat/maize/potatoes/apples/barley/onions/hops|@ that grow(s) {v}~@ with {v}~{v} @
c organic|organic|yes/no|organic @
r run by|farmer,owner|are(is) run by {v}|@person|1
r sells to|buyers,customers|sell(s) to {v},supply(supplies) {v}|@thing|3

building|buildings|thing|name building tower
n height_m height|height|tall,high/low|4,800
n floors storeys|floors,number of floors|-/-|1,160
n completed year|year of completion,year|new,recent,modern/old|1200,2024
c city|city|@place|@ in {v}~{v} @
c use purpose|use|offices/flats/church/hotel/school|@ used as {v}
r designed by|architects,architect|were(was) designed by {v}|@person|2
r next to|neighbours,buildings beside it|are(is) next to {v},stand(s) beside {v}|sym|3
"""
