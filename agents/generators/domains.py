"""What invented worlds are about: some forty domains with the words in which people ask about them.

One paragraph a domain. Its first line names the thing, its plural, the maker of names and identifiers of the key
column. Then one line a column or relation, its parts separated by ``|``:

    n identifiers | nouns | adjectives for much / for little | least, most        a number
    c identifiers | nouns | values or @maker | phrases                            one text value
    l identifiers | nouns | values or @maker | phrases                            several values
    r relation | nouns | verb phrases | self, sym, @maker or values | most        a fact of the graph

A phrase holds ``@`` for the noun phrase it changes and ``{v}`` for the value; ``use(s)`` is plural (singular).
"""

TEXT = """
country|countries|country|name country country_name
c capital|capital,capital city|@place|@ with the capital {v}
c continent region|continent,part of the world|Africa/Europe/Asia/South America/North America/Oceania|@ in {v}~@ of {v}~{a} @~@ that are(is) in {v}~@ that lie(s) in {v}~@ located in {v}
n area_km2 area surface_km2|area,surface area,size,land area|large,big,vast/small,tiny,little|500,9000000
n population inhabitants people|population,number of inhabitants,number of people,inhabitants,people|populous,populated/populous,populated|9000,900000000
l languages official_languages language|official languages,languages,language|French/Spanish/English/Arabic/Portuguese/German/Russian/Swahili/Dutch/Italian/Malay/Chinese/Hindi/Greek/Turkish/Persian/Hausa/Quechua/Romanian|@ that speak(s) {v}~{v}-speaking @~{v} speaking @~@ where {v} is spoken~@ where people speak {v}~@ with {v} as an official language~@ where {v} is an official language~@ that have(has) {v} as official language~@ whose official language is {v}
c currency_name currency|currency,money|Euro/United States dollar/Swiss franc/West African franc/Danish krone/Japanese yen/Russian ruble/Indian rupee/Mexican peso/Chilean peso/Pound sterling/Australian dollar/Turkish lira/Kenyan shilling|@ that use(s) the {v}~@ using the {v}~@ that pay(s) with the {v}~@ where you pay with the {v}~@ with the {v} as currency~@ on the {v}~@ whose currency is the {v}~@ that have(has) the {v}~@ where the {v} is used
c currency currency_code|currency code,code of the currency|EUR/USD/CHF/XOF/DKK/JPY/RUB/INR/MXN/GBP/AUD/TRY/KES|@ that use(s) {v}~@ with currency {v}~@ with the currency code {v}~@ that pay(s) in {v}
c driving_side drives_on|driving side,side of the road|left/right|@ that drive(s) on the {v}~@ where people drive on the {v}~@ where you drive on the {v}~@ where traffic drives on the {v}~@ driving on the {v}~{v}-hand driving @~@ where cars keep {v}~@ that keep(s) to the {v}
c iso2 code|two-letter code,ISO code,country code|@code|@ with the code {v}
n neighbours_count land_neighbours borders|number of neighbours,number of land borders|-/-|0,14
n population_year year|year of the population figure|recent/old|2015,2024
n gdp_billion gdp|GDP,economy|rich,wealthy/poor|1,20000
n independence_year independent_since|year of independence|young/old|1500,2010
c landlocked|landlocked|no/yes|landlocked @
r borders|neighbours,neighbouring countries,neighbors,land neighbours,bordering countries|border(s) {v},share(s) a border with {v},neighbour(s) {v},are(is) next to {v},touch(es) {v},adjoin(s) {v},have(has) a border with {v}|sym|6
r speaks|languages,official languages,language,official language|speak(s) {v},have(has) {v} as an official language,use(s) {v} officially|French/Spanish/English/Arabic/Portuguese/German/Russian/Swahili/Dutch/Italian/Malay/Greek|3
r pays with|currency,money|use(s) the {v},pay(s) with the {v}|Euro/dollar/franc/krone/yen/ruble/rupee/peso/pound/lira|1
r lies in|continent,part of the world,region|lie(s) in {v},are(is) in {v},are(is) located in {v}|Africa/Europe/Asia/South America/North America/Oceania/Western Europe/Eastern Africa/Southern Asia/Central America/Northern Europe/Caribbean|2
r capital|capital,capital city|have(has) {v} as capital|@place|1

city|cities|place|name city town
c country nation|country|@country|@ in {v}~@ of {v}~@ located in {v}
n population inhabitants residents|population,number of residents,inhabitants|large,big,populous/small|4000,20000000
n founded founded_year|year of foundation,founding year|young,new/old,ancient|900,1990
n elevation_m altitude_m|elevation,altitude|high/low|0,3900
l districts boroughs|districts|@place|@ with the district {v}
r twinned with|twin towns,sister cities|are(is) twinned with {v}|sym|3
r mayor|mayor|are(is) led by {v}|@person|1

employee|employees|person|name employee full_name
c department team dept|department,team|Sales/Finance/Legal/Marketing/Support/Research/Logistics|@ in {v}~@ of the {v} team~@ who work(s) in {v}~{v} @~@ from {v}
n salary pay wage|salary,pay,wage|well paid/badly paid|18000,190000
n age years|age|old/young|19,67
n hired start_year|year of hiring,start year|-/-|1985,2024
c office city location|office,city|@place|@ in {v}~@ who are(is) based in {v}~@ based in {v}
l skills knows|skills|Python/accounting/design/negotiation/welding/statistics/translation|@ who know(s) {v}~@ with {v} skills~@ skilled in {v}
r reports to|boss,manager,supervisor|report(s) to {v},work(s) for {v}|self|1
r worked on|projects|worked on {v}|@thing|3

product|products|thing|name product item title
c category kind type|category,kind|toys/furniture/kitchen/garden/books/electronics/sports|@ in {v}~{v} @~@ of the category {v}~@ from the {v} category
n price cost price_eur|price,cost|expensive,costly/cheap,affordable|1,3000
n stock quantity in_stock|stock,quantity|-/-|0,900
n weight_kg weight|weight|heavy/light|1,90
c maker brand supplier|maker,brand,supplier|@thing|@ by {v}~@ made by {v}~{v} @~@ from {v}
l colours colors|colours,colors|red/blue/green/black/white/yellow/grey|@ available in {v}~@ in {v}~@ that come(s) in {v}
n rating stars|rating|popular/unpopular|1,5
r part of|parts|are(is) part of {v}|self|1
r sold in|shops|are(is) sold in {v}|@place|3

film|films|thing|title name film
c director directed_by|director|@person|@ by {v}~@ directed by {v}~@ of {v}~@ that {v} directed
n year released release_year|year,release year,year of release|recent,new/old|1920,2024
c genre kind|genre|drama/comedy/thriller/western/horror/musical/documentary/animation|{v} @~@ in the genre {v}~@ that are(is) a {v}
n minutes length_min runtime|length,running time,runtime,minutes|long/short|60,240
n rating score|rating,score|good,popular/bad|1,10
n budget_million budget|budget|expensive/cheap|1,300
l actors starring|actors,cast|@person|@ with {v}~@ starring {v}~@ that {v} plays in
r sequel of|sequels|are(is) a sequel of {v},follow(s) {v}|self|1
r stars|actors,stars,cast|star(s) {v},feature(s) {v}|@person|4
r directed by|director|were(was) directed by {v}|@person|1

book|books|thing|title name book
c author writer written_by|author,writer|@person|@ by {v}~@ written by {v}~@ of {v}~@ that {v} wrote
n pages page_count|pages,number of pages|long,thick/short,thin|60,1400
n published year|year of publication,year|recent,new/old|1800,2024
c language|language|English/French/Spanish/German/Japanese/Italian/Russian|@ in {v}~{v} @~@ written in {v}
c genre subject|genre,subject|poetry/crime/history/science/travel/romance/fantasy|{v} @~@ about {v}~@ on {v}
n price|price|expensive/cheap|3,90
r inspired by|inspirations|were(was) inspired by {v}|self|2
r published by|publisher|were(was) published by {v}|@thing|1

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

song|songs|thing|title song name
c artist singer band|artist,singer|@person|@ by {v}~@ of {v}~{v} @~@ sung by {v}
n seconds length_s|length,duration|long/short|90,700
n plays streams|plays,streams,number of plays|popular/unpopular|100,90000000
n year released|year,release year|recent,new/old|1950,2024
c genre style|genre,style|rock/jazz/folk/pop/soul/techno|{v} @
r covers|covered songs,original|cover(s) {v}|self|1
r written by|writers,songwriters|were(was) written by {v}|@person|3

recipe|recipes|thing|name recipe dish
n minutes cooking_minutes|cooking time,minutes|slow,long/quick,fast|5,240
n calories kcal|calories|rich,filling/light|80,1400
c cuisine origin|cuisine|Italian/Indian/Mexican/Thai/French/Turkish/Polish|{v} @~@ from the {v} kitchen
l ingredients|ingredients|garlic/rice/tomato/cream/lentils/chicken/lemon/ginger|@ with {v}~@ that need(s) {v}~@ containing {v}~@ made with {v}
n servings portions|servings,portions|-/-|1,12
c diet|diet|vegan/vegetarian/gluten-free|{v} @
r invented by|inventor|were(was) invented by {v}|@person|1
r goes with|side dishes|go(es) with {v}|sym|3

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

player|players|person|name player
c team club|team,club|@thing|@ of {v}~@ in {v}~@ who play(s) for {v}~{v} @
n goals points|goals,number of goals|-/-|0,60
n age|age|old/young|17,41
c position role|position|goalkeeper/defender/midfielder/striker|@ who are(is) a {v}
c nationality country|country,nationality|@country|@ from {v}
n height_cm height|height|tall/short|160,210
r taught by|trainers|were(was) taught by {v}|@person|2
r played with|team mates|played with {v}|sym|3

ship|ships|thing|name ship vessel
n length_m length|length|long/short|12,400
n tonnage tons|tonnage|heavy/light|50,220000
n built year_built|year of construction,year|new,modern/old|1890,2023
c port home_port|home port,port|@place|@ from {v}~@ of {v}~@ based in {v}
c type kind|type|ferry/tanker/trawler/cruiser/container ship|@ of the type {v}~@ that are(is) a {v}
n crew crew_size|crew,crew size|-/-|2,2500
r commanded by|captain,commander|are(is) commanded by {v}|@person|1
r calls at|stops,ports on its route|call(s) at {v},stop(s) at {v}|@place|4

train|trains|thing|name train line
n speed_kmh top_speed|speed,top speed|fast/slow|60,350
c from_city start|start,departure city|@place|@ from {v}~@ that leave(s) {v}
c to_city destination|destination|@place|@ to {v}~@ that go(es) to {v}
n minutes duration|duration,journey time|long/short|10,900
n seats|seats,number of seats|large/small|60,1200
r stops at|stops,stations|stop(s) at {v},serve(s) {v}|@place|4
r connects to|connections|connect(s) to {v}|sym|2

flight|flights|thing|code flight name
c airline carrier|airline|@thing|@ of {v}~@ with {v}~{v} @
c origin departs_from|origin|@place|@ from {v}~@ that leave(s) from {v}
c destination arrives_at|destination|@place|@ to {v}~@ that land(s) in {v}
n price fare|price,fare|expensive/cheap|30,2400
n duration_min minutes|duration,flight time|long/short|35,1000
r flown by|pilots,pilot|are(is) flown by {v}|@person|2
r replaces|replaced flights|replace(s) {v}|self|1

car|cars|thing|name model car
n horsepower power|power,horsepower|powerful,strong/weak|40,900
n price|price|expensive/cheap|3000,300000
n year built|year|new,recent/old|1960,2024
c fuel engine|fuel|petrol/diesel/electric/hybrid/hydrogen|{v} @~@ that run(s) on {v}~@ with {v} engines
c maker brand|maker,brand|@thing|@ by {v}~@ made by {v}~{v} @
n range_km range|range|-/-|90,1400
r based on|models before it|are(is) based on {v}|self|1
r designed by|designers,designer|were(was) designed by {v}|@person|2

bridge|bridges|thing|name bridge
n length_m length|length|long/short|10,9000
n height_m height|height|high/low|3,340
n opened year_opened|opening year|new,recent/old|1500,2022
c material|material|steel/stone/wood/concrete/iron|{v} @~@ made of {v}~@ built of {v}
c river crosses|river|@thing|@ over {v}~@ across {v}~@ that cross(es) {v}
r built by|builders,engineers|were(was) built by {v}|@person|2
r links|towns,places|link(s) {v}|@place|2

company|companies|thing|name company firm
c sector industry|sector,industry|banking/mining/software/food/energy/fashion/transport|@ in {v}~{v} @~@ in the {v} sector
n revenue_million revenue turnover|revenue,turnover|successful/small|1,90000
n employees staff workers|employees,number of employees,staff|large,big/small|4,300000
n founded|founding year|young,new/old,ancient|1800,2022
c headquarters hq seat|headquarters,seat|@place|@ from {v}~@ with headquarters in {v}~@ based in {v}
l products makes|products|paint/glass/engines/phones/shoes/paper/steel|@ that make(s) {v}~@ selling {v}
r owns|subsidiaries|own(s) {v},control(s) {v}|self|3
r led by|chief executive,boss,leader|are(is) led by {v}|@person|1

painting|paintings|thing|title painting name
c painter artist|painter,artist|@person|@ by {v}~@ of {v}~@ that {v} painted
n year painted|year|recent,new/old|1400,1990
n width_cm width|width|wide/narrow|10,500
n price_million value|price,value|expensive,valuable/cheap|1,300
c style|style|baroque/cubism/realism/romantic/gothic|{v} @~@ in the {v} style
r shows|people in it,motifs|show(s) {v}|@person|2
r hangs in|museum,place where it hangs|hang(s) in {v}|@place|1

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

battle|battles|thing|name battle
n year|year|recent/old|900,1950
n soldiers troops|soldiers,number of soldiers|large,big/small|400,900000
c winner|winner|@country|@ won by {v}~@ that {v} won
c war|war|@thing|@ of the {v} war~@ in the {v} war
n days duration_days|duration,days|long/short|1,200
r fought by|commanders,leaders|were(was) fought by {v}|@person|3
r followed by|next battles,battles after it|were(was) followed by {v}|self|1

dog|dogs|person|name dog
c breed|breed|poodle/beagle/collie/boxer/terrier/husky|@ of the breed {v}~@ that are(is) a {v}
n age age_years|age|old/young|1,16
n weight_kg weight|weight|heavy,fat/light|2,80
c owner keeper|owner|@person|@ of {v}~@ that belong(s) to {v}~@ owned by {v}
c vaccinated|vaccinated|yes/no|vaccinated @
r plays with|friends,playmates|play(s) with {v}|sym|3
r parent of|puppies,children|are(is) a parent of {v}|self|3

order|orders|thing|name order_name reference
c customer client|customer,client|@person|@ by {v}~@ from {v}~@ of {v}~@ placed by {v}
n amount total value|amount,value|large,big/small|2,9000
c status state|status|open/shipped/cancelled/paid/late|{v} @~@ that are(is) {v}
n items pieces|items,number of items|-/-|1,60
c city ship_to|city|@place|@ to {v}~@ shipped to {v}
r contains|products,goods|contain(s) {v},include(s) {v}|@thing|4
r handled by|clerk,handler|were(was) handled by {v}|@person|1

student|students|person|name student
c course subject major|course,subject|biology/law/physics/history/music/medicine/geography|@ of {v}~{v} @~@ who study(studies) {v}
n grade mark score|grade,mark|good/bad|1,100
n age|age|old/young|16,35
c home town|home town,town|@place|@ from {v}~@ who come(s) from {v}
l clubs|clubs|chess/rowing/drama/choir/debate/robotics|@ in the {v} club~@ who do(es) {v}
r lives with|flatmates,room mates|live(s) with {v}|sym|3
r tutored by|tutors,tutor|are(is) tutored by {v}|@person|2

game|games|thing|title game name
c publisher studio|publisher,studio|@thing|@ by {v}~@ from {v}~{v} @
n players max_players|players,number of players|-/-|1,12
n minutes playing_minutes|playing time,minutes|long/short|10,300
n rating|rating|good,popular/bad|1,10
n year|year|new,recent/old|1970,2024
l mechanics tags|tags|cards/dice/bluffing/puzzle/trading/racing|@ with {v}~{v} @
r designed by|designers,designer|were(was) designed by {v}|@person|2
r expands|base game|expand(s) {v},extend(s) {v}|self|1

wine|wines|thing|name wine
c region|region|@place|@ from {v}~{v} @
n year vintage|vintage,year|young,new/old|1950,2023
n price|price|expensive/cheap|4,400
c colour color|colour,color|red/white/rosé|{v} @
c grape|grape|Merlot/Riesling/Syrah/Malbec/Pinot|{v} @~@ made of {v}
n points score|points,score|good/bad|60,100
r goes with|dishes|go(es) with {v}|cheese/fish/beef/pasta/lamb/mushrooms/dessert|3
r made by|winemaker,maker|were(was) made by {v}|@person|1

phone|phones|thing|name model phone
c brand maker|brand,maker|@thing|@ by {v}~{v} @~@ from {v}
n price price_usd|price|expensive/cheap|60,1900
n storage_gb storage|storage,memory|-/-|16,1024
n battery_mah battery|battery,battery capacity|-/-|1500,7000
n screen_inches screen|screen size|large,big/small|4,8
c system os|system|Android/Linux/Symbian|{v} @~@ that run(s) {v}
r replaces|predecessor|replace(s) {v},succeed(s) {v}|self|1
r sold by|shops,sellers|are(is) sold by {v}|@thing|3

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

gene|genes|thing|name symbol gene
n length_kb length|length|long/short|1,2400
c chromosome|chromosome|X/Y/12/17/3|@ on chromosome {v}
n discovered year|year of discovery|-/-|1960,2022
l tissues expressed_in|tissues|liver/brain/heart/skin/lung/kidney|@ active in the {v}~@ expressed in {v}
r interacts with|partners|interact(s) with {v},bind(s) {v}|sym|4
r linked to|diseases|are(is) linked to {v},cause(s) {v}|@thing|2

course|courses|thing|title course name
c teacher lecturer|teacher,lecturer|@person|@ by {v}~@ taught by {v}~@ of {v}~@ that {v} teaches
n credits points|credits,number of credits|-/-|1,15
n places seats|places,number of places|large,big/small|8,400
c day weekday|day,weekday|Monday/Tuesday/Wednesday/Thursday/Friday|@ on {v}~{v} @
c language|language|English/French/Spanish/German|@ in {v}~{v} @
r requires|prerequisites,required courses|require(s) {v}|self|3
r held in|room|are(is) held in {v}|@place|1
"""
